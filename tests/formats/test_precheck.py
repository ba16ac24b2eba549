"""A checkpoint that is not there is named at the start, with what was probably meant."""

import pytest

from pastelbot.errors import CheckpointError
from pastelbot.formats.precheck import check_reference, is_missing, near


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Make the current folder one with two checkpoints."""
    folder = tmp_path / "models" / "sd"
    (folder / "pastel-folder").mkdir(parents=True)
    (folder / "pastel-folder" / "model_index.json").touch()
    for name in ("pastelmix-fp16.safetensors", "anything.ckpt", "notes.txt"):
        (folder / name).touch()
    (tmp_path / "models" / "pastel-mix.safetensors").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("models/pastel.safetensors", "models/pastel-mix.safetensors"),
        ("models/Pastel-Mix.safetensors", "models/pastel-mix.safetensors"),
        ("models/sd/pastelmix.safetensors", "models/sd/pastelmix-fp16.safetensors"),
        ("models/sd/anything.safetensors", "models/sd/anything.ckpt"),
        ("./models/sd/pastel-foldr", "models/sd/pastel-folder"),
        ("model/pastel-mix.safetensors", "the folder models"),
    ],
)
def test_a_mistyped_path_is_missing_and_what_was_meant_is_named(reference, meant):
    assert is_missing(reference)
    with pytest.raises(CheckpointError) as error:
        check_reference(reference)

    assert f"{reference!r} is not a file or folder here (did you mean {meant}" in str(error.value)


@pytest.mark.parametrize(
    "reference",
    ["andite/pastel-mix", "andite/pastel-mix:vae/kl-f8.safetensors", "hakurei/waifu/wd-v1.safetensors", "models/sd"],
)
def test_what_can_be_on_the_hub_or_is_here_is_not_missing(reference):
    assert not is_missing(reference)


@pytest.mark.parametrize("reference", ["models/sd/zzz.bin", "/nowhere/at/all.safetensors", "./q.safetensors"])
def test_where_nothing_resembles_it_nothing_is_suggested(reference):
    assert is_missing(reference)
    assert near(reference) == ""
