"""The workshop on the bundled checkpoint, which is built smaller than Stable Diffusion 1.x."""

import io
import json
import shutil

import pytest
import torch
from helpers.painting import paint
from helpers.recipe_runs import run_text
from PIL import Image
from safetensors.torch import load_file, save_file

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.errors import WorkshopError
from pastelbot.records import GenerationRequest

BUNDLED = bundled_checkpoint()
UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"
REQUEST = GenerationRequest(prompt="1girl", width=64, height=64, steps=2)


@pytest.fixture
def studio(tmp_path):
    """Return a folder with the bundled checkpoint as `a` and a variation of it as `b`."""
    if not (BUNDLED / "model_index.json").exists():
        pytest.skip("the bundled checkpoint is not there")
    shutil.copytree(BUNDLED, tmp_path / "a")
    shutil.copytree(BUNDLED, tmp_path / "b")
    generator = torch.Generator().manual_seed(1)
    for name in (UNET, TEXT):
        tensors = load_file(tmp_path / "b" / name)
        noisy = {
            key: (tensor + 0.02 * torch.randn(tensor.shape, generator=generator)).to(tensor.dtype)
            for key, tensor in tensors.items()
        }
        save_file(noisy, tmp_path / "b" / name, {"format": "pt"})
    return tmp_path


def pixels(folder, vae=None):
    """Paint and return the pixels; the file itself names its checkpoint."""
    (picture,) = paint(loading.load(str(folder), vae=vae and str(vae), device="cpu"), REQUEST)
    return Image.open(io.BytesIO(picture.png)).tobytes()


def merge(weight, output="out"):
    return f'[steps.x]\noperation = "weighted-sum"\na = "a"\nb = "b"\nweight = {weight}\noutput = "{output}"'


@pytest.mark.parametrize(("weight", "same"), [(0, "a"), (1, "b")])
def test_weights_of_0_and_1_paint_the_pictures_of_a_and_b(studio, weight, same):
    """Half of each is a third picture."""
    run_text(studio, merge(weight))
    run_text(studio, merge(0.5, "half"))

    assert pixels(studio / same) == pixels(studio / "out")
    assert pixels(studio / "half") != pixels(studio / "out")


def test_baked_vae_paints_the_pictures_of_the_separate_one(studio):
    """The card's "better-vae"."""
    path = studio / "b" / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors["decoder.conv_out.bias"] += 0.3
    save_file(tensors, path, {"format": "pt"})
    run_text(studio, '[steps.x]\noperation = "vae-bake"\nbase = "a"\nvae = "b/vae"\noutput = "out"')

    assert pixels(studio / "a", studio / "b" / "vae") == pixels(studio / "out")
    assert pixels(studio / "a") != pixels(studio / "out")


def test_extracted_lora_brings_the_layers_of_b_into_a(studio):
    """In this layout too, the names of layers are those of any LoRA."""
    text = '[steps.e]\noperation = "lora-extract"\noriginal = "a"\ntuned = "b"\nrank = 999\nconv_rank = 999\n'
    text += (
        'precision = "fp32"\n[steps.x]\noperation = "lora-merge"\nbase = "a"\nloras = [{ file = "e" }]\noutput = "out"'
    )
    run_text(studio, text)
    expected, actual = load_file(studio / "b" / UNET), load_file(studio / "out" / UNET)
    tensors = [name for name in expected if "attentions" in name and expected[name].dim() > 1]
    tensors += [name for name in expected if "samplers" in name and expected[name].dim() > 1]

    assert len(tensors) > 40
    for name in tensors:
        torch.testing.assert_close(expected[name].float(), actual[name].float(), rtol=0, atol=2e-3)


def test_folder_keeps_what_is_beside_its_weights(studio):
    """Configurations, noise schedule, tokenizer; the weights as well, but not the name."""
    run_text(studio, '[steps.x]\noperation = "convert"\nsource = "a"\noutput = "out"')
    files = {str(path.relative_to(studio / "a")) for path in (studio / "a").rglob("*") if path.is_file()}

    assert files == {str(path.relative_to(studio / "out")) for path in (studio / "out").rglob("*") if path.is_file()}
    for name in files:
        one, other = studio / "a" / name, studio / "out" / name
        if name.endswith(".safetensors"):
            first = {key.removeprefix("text_model."): tensor for key, tensor in load_file(one).items()}
            second = {key.removeprefix("text_model."): tensor for key, tensor in load_file(other).items()}
            assert first.keys() - {"embeddings.position_ids"} == second.keys()
            assert all(torch.equal(tensor, first[key]) for key, tensor in second.items())
        elif name == "model_index.json":
            index = json.loads(one.read_text()) | {"_pastelbot_name": None}
            assert index == json.loads(other.read_text()) | {"_pastelbot_name": None}
            assert "_pastelbot_name" not in json.loads(other.read_text())
        else:
            assert one.read_bytes() == other.read_bytes()


def test_single_file_is_refused(studio):
    """Its names are those of Stable Diffusion 1.x."""
    with pytest.raises(WorkshopError, match="name without an ending"):
        run_text(studio, merge(0.5, "out.safetensors"))

    assert not (studio / "out.safetensors").exists()
