"""`pastelbot bench` as operators meet it."""

import json
import sys

import pytest

from pastelbot.cli.main import main

SMALL = """
[checkpoint]
path = "bundled"
backend = "torch"
[sizes]
square = { first = "64x64", hires = "128x128" }
[defaults]
steps = 3
hires_steps = 2
"""


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """Measure with a configuration; return the exit code, the output and the errors."""

    def bench(configuration, *arguments):
        file = tmp_path / "config.toml"
        file.write_text(configuration)
        monkeypatch.setattr(sys, "argv", ["pastelbot", "bench", "--config", str(file), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return bench


def test_a_picture_is_timed_and_written_down(bench, tmp_path):
    code, output, _errors = bench(SMALL, "--turns", "2", "--json", str(tmp_path / "card.json"))
    written = json.loads((tmp_path / "card.json").read_text())
    seconds = {row["what"]: row["seconds"] for row in written["rows"]}

    assert not code
    assert "picture: 64x64, DPM++ 2M, 3 steps, hires pass to 128x128" in output
    steps = {"a step at 64x64", "a step at 128x128"}
    assert {"loading", "first picture", "a picture, median of 2", *steps} == seconds.keys()
    assert min(seconds.values()) > 0
    assert sum(seconds[step] for step in steps) < seconds["a picture, median of 2"]
    assert {"card", "cpu", "float32", "torch"} <= {written["benchmark"], *written["facts"].values()}
    assert {"date", "device_name", "versions"} <= written.keys()


@pytest.mark.parametrize(
    ("configuration", "arguments", "words"),
    [
        ('[checkpoint]\npath = "/nowhere/model.safetensors"', (), "nowhere"),
        ('[checkpoint]\npath = "bundled"\ndevice = "tpu"', (), "tpu"),
        ('[worker]\nexecutor = "ray"\n[checkpoint]\npath = "bundled"', (), 'worker.executor = "process"'),
        (SMALL, ("--json", "/nowhere/card.json"), "folder /nowhere is not there"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(bench, configuration, arguments, words):
    code, output, errors = bench(configuration, *arguments)

    assert (2, "") == (code, output)
    assert errors.startswith("pastelbot: ")
    assert words in errors
