"""`pastelbot export jax`: programs that JAX runs without torch, with torch's numbers."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest
import torch
from helpers.support import PATIENCE
from typer.testing import CliRunner

from pastelbot import config
from pastelbot.cli.main import app
from pastelbot.config import CheckpointSettings
from pastelbot.diffusion.checkpoint import loading
from pastelbot.errors import CheckpointError, PastelError, WorkshopError, install_command
from pastelbot.workshop.export.jax import JaxOptions, export_jax

SETTINGS = CheckpointSettings()


def export(*words):
    """Run the command; return its lines, raise what main() would print."""
    result = CliRunner().invoke(app, ["export", "jax", *map(str, words)])
    if isinstance(result.exception, PastelError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


needs_jax = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("jax", "torchax"))), reason="the extra jax is not installed"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a folder for JAX, and what was printed."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("jax") / "small"
    return out, export("bundled", out, "--size", "64x72", "--chunks", 2, "--check")


@needs_jax
def test_every_program_gives_torchs_numbers(exported):
    """It says by how much they differ; shapes, hash and sums are in the manifest."""
    out, lines = exported
    manifest = json.loads((out / "pastelbot.json").read_text())
    found = dict(re.findall(r"(\S+\.stablehlo): differs from torch by (\S+) of", "\n".join(lines)))

    assert [program["file"] for program in manifest["programs"]] == [*found]
    assert ["text_encoder/chunk.stablehlo", "unet/64x72-batch2-chunks2.stablehlo", "vae_decoder/64x72.stablehlo"] == [
        *found
    ]
    assert all(float(difference) < 1e-4 for difference in found.values())
    assert [2, 154, 64] == manifest["programs"][1]["inputs"][2]["shape"]
    assert "pastelbot-jax" == manifest["format"]
    assert str(out) == lines[-1]
    for name in manifest["files"]:
        assert b"site-packages" not in (out / name).read_bytes()
        assert b"pastelbot/" not in (out / name).read_bytes()


@needs_jax
def test_the_readmes_example_denoises_with_jax_alone(exported):
    """Neither torch nor Pastelbot is imported."""
    out, _ = exported
    (code,) = re.findall(r"```python\n(.*?)```", (out / "README.md").read_text(), re.DOTALL)
    code += "\nimport sys\nassert not {'torch', 'pastelbot'} & set(sys.modules)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=out, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("denoised (2, 4, 9, 8)")
    assert 0.1 < float(done.stdout.split()[-1]) < 10


@needs_jax
def test_the_bot_does_not_paint_with_it(exported):
    with pytest.raises(CheckpointError, match="is an export for JAX, which Pastelbot does not paint with"):
        loading.load(str(exported[0]), device="cpu")


@needs_jax
def test_other_numbers_are_an_error(tmp_path):
    """Nothing is written then."""
    bundled, out = str(config.bundled_checkpoint()), tmp_path / "out"
    with pytest.raises(WorkshopError, match=r"text_encoder/chunk\.stablehlo gives other numbers in JAX"):
        export_jax(bundled, out, SETTINGS, JaxOptions(), check=True, tolerance=0.0)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--size", "big"], "'big' is not a size"),
        (["--size", "100x64"], "100x64 is not possible: both sides must be multiples of 8"),
        (["--batch", 0], "must be 1 or more"),
    ],
)
def test_impossible_options_are_reported(tmp_path, monkeypatch, words, error):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    with pytest.raises(WorkshopError, match=error):
        export("bundled", tmp_path / "out", *words)

    assert [] == list(tmp_path.iterdir())


def test_without_the_packages_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WorkshopError, match=re.escape(install_command("jax"))):
        export("bundled", tmp_path / "out")
