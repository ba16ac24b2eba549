# `make demo` and `make test` need nothing but Python 3.11 or newer: they set up .venv by themselves. Where uv is
# installed, it does so in a tenth of pip's time; it does not read pip's settings, but a folder of wheels counts for both.

PYTHON ?= python3
BIN := .venv/bin
ifneq ($(shell command -v uv 2>/dev/null),)
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
VENV := uv venv --quiet --seed --allow-existing --python $(PYTHON)
INSTALL_INTO = uv pip install --quiet --python $(1)/bin/python
else
VENV := $(PYTHON) -m venv
# Without byte code: Python compiles what is imported, which is a small part of torch and transformers.
INSTALL_INTO = $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile
endif
INSTALL = $(call INSTALL_INTO,.venv) --constraint constraints.txt
unexport PYTHONDONTWRITEBYTECODE  # else each process would compile all that it imports

.PHONY: demo test test-all check format chaos bench pictures docs test-wheel clean

demo: .venv/demo.stamp
	$(BIN)/python bot.py demo $(ARGS)

test: check
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations=20 $(ARGS)

# With every extra, in an environment of its own, because Gradio wants an earlier Pillow: only what needs a GPU is skipped.
test-all: .venv-all/all.stamp
	.venv-all/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations=20 $(ARGS)

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The long runs, each of which can be set to 0. One seed again: .venv/bin/python -m tests.simulation SEED
SEEDS ?= 10000
KILLS ?= 1000
FUZZ ?= 1000000
chaos: .venv/dev.stamp
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)
	$(BIN)/python -m tests.chaos --kills $(KILLS)
	$(BIN)/python -m tests.fuzz --inputs $(FUZZ)

# The CPU's rows of docs/performance.md, with the bundled checkpoint; the JSON files are in build/bench.
bench: .venv/dev.stamp
	mkdir -p build/bench
	PASTELBOT_CHECKPOINT__PATH=bundled $(BIN)/python bot.py bench --json build/bench/card.json
	$(BIN)/python benchmarks/load.py --json build/bench/load.json
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/backends.py --turns 2

# The guides' pictures, taken anew from the demo; needs Chromium.
pictures: .venv/dev.stamp
	$(BIN)/python docs/take_pictures.py

# The guides as a site with a search, in build/site; the pages of docs/reference are written anew.
docs: .venv/docs.stamp
	$(BIN)/python docs/build_reference.py
	$(BIN)/python docs/build_site.py

# The wheel in an environment of its own: before a release, as it takes minutes and 1.3 GB for a while.
test-wheel: .venv/dev.stamp
	$(BIN)/python -m tests.wheel

clean:
	rm -rf .venv .venv-all *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/python.stamp:
	$(PYTHON) -c "import sys; sys.exit('Pastelbot needs Python 3.11 or newer: make PYTHON=python3.11') if sys.version_info < (3, 11) else None"
	$(VENV) .venv
	touch $@

.venv/demo.stamp: .venv/python.stamp pyproject.toml constraints.txt
	$(INSTALL) --editable '.[demo]'
	touch $@

.venv/dev.stamp: .venv/python.stamp pyproject.toml constraints.txt
	$(INSTALL) --editable '.[demo,dev]'
	touch $@ .venv/demo.stamp

.venv/docs.stamp: .venv/dev.stamp
	$(INSTALL) --editable '.[docs]'
	touch $@

.venv-all/all.stamp: pyproject.toml constraints-web.txt
	$(VENV) .venv-all
	$(call INSTALL_INTO,.venv-all) --constraint constraints-web.txt \
		--editable '.[demo,dev,web,tagger,onnx,openvino,jax,upscale,ray]'
	touch $@
