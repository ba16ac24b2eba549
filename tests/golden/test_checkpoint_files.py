"""The recordings' model as a folder and as a single file with the original names."""

import pytest
import torch
from golden_cases import followed
from helpers.painting import paint

from pastelbot.diffusion.checkpoint import loading
from pastelbot.formats.pictures import read_infotext
from pastelbot.records import GenerationRequest


@pytest.fixture(scope="module")
def single(golden):
    """Return the single file, loaded."""
    path = followed(golden / "tiny-sd-ldm.safetensors")
    if not path.exists():
        pytest.skip(f"{golden} has no single-file checkpoint")
    return loading.load(str(path), device="cpu")


def test_single_file_has_the_folders_tensors_and_pictures(single, tiny_sd):
    """Every tensor arrives under its other name, and the pixels are the same."""
    folder = loading.load(str(tiny_sd), device="cpu")

    for part in ("unet", "text_encoder"):
        mine, theirs = getattr(single, part).state_dict(), getattr(folder, part).state_dict()
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    mine, theirs = single.vae.model.state_dict(), folder.vae.model.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)

    request = GenerationRequest(prompt="a cat", width=64, height=64, steps=2)
    one, other = paint(single, request)[0].png, paint(folder, request)[0].png
    assert one[one.index(b"IDAT") :] == other[other.index(b"IDAT") :]


def test_single_file_has_the_recorded_hash(single, recorded):
    """The infotext of its pictures says the webui's model hash."""
    infotext = recorded("infotext.json")

    assert single.hash == infotext["model_hash"]
    (picture,) = paint(single, GenerationRequest(prompt="a cat", width=64, height=64, steps=1))
    assert f"Model hash: {single.hash}, Model: {single.name}" in read_infotext(picture.png)
