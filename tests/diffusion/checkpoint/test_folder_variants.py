"""Diffusers folders whose weights have any variant's name, or lack a part: what is there is read, the rest named."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pastelbot.diffusion.checkpoint import loading
from pastelbot.errors import CheckpointError
from pastelbot.formats.hub import folder_files
from pastelbot.formats.layout.folder_parts import weights_files
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

TINY = Path(__file__).parents[2] / "golden" / "data" / "tiny-sd"
STEM = "diffusion_pytorch_model"
# Files in a part, and the ones that are read.
NAMES = [
    ((f"{STEM}.non_ema.bin",), f"{STEM}.non_ema.bin"),
    ((f"{STEM}.bf16.safetensors",), f"{STEM}.bf16.safetensors"),
    ((f"{STEM}.SAFETENSORS",), f"{STEM}.SAFETENSORS"),
    ((f"{STEM}.ema.safetensors", f"{STEM}.non_ema.safetensors"), f"{STEM}.ema.safetensors"),
    ((f"{STEM}.bin", f"{STEM}.non_ema.safetensors"), f"{STEM}.bin"),
    ((f"{STEM}.fp16.safetensors", f"{STEM}.bin", f"{STEM}.bf16.safetensors"), f"{STEM}.fp16.safetensors"),
    ((f"{STEM}.safetensors", f"{STEM}.fp16.safetensors", f"{STEM}.non_ema.safetensors"), f"{STEM}.safetensors"),
    (
        (f"{STEM}.fp16-00001-of-00002.safetensors", f"{STEM}.fp16-00002-of-00002.safetensors"),
        f"{STEM}.fp16-00001-of-00002.safetensors {STEM}.fp16-00002-of-00002.safetensors",
    ),
]


@pytest.mark.parametrize(("names", "read"), NAMES)
def test_every_variant_is_found(names, read, tmp_path):
    for name in names:
        (tmp_path / name).touch()

    assert read == " ".join(path.name for path in weights_files(tmp_path, STEM))


@pytest.fixture
def folder(bundled, tmp_path):
    return shutil.copytree(bundled, tmp_path / "it")


def weights(folder, part):
    (found,) = (path for path in (folder / part).iterdir() if path.name.endswith("safetensors"))
    return found


def test_mixed_variants_are_loaded(folder):
    whole = loading.load(str(folder), device="cpu", offline=True).unet.conv_in.weight
    unet, text = weights(folder, "unet"), weights(folder, "text_encoder")
    torch.save(load_file(unet), unet.with_name(f"{STEM}.non_ema.bin"))
    unet.unlink()
    text.rename(text.with_name("model.bf16.safetensors"))

    assert torch.equal(whole, loading.load(str(folder), device="cpu", offline=True).unet.conv_in.weight)
    assert inspect_path(folder).problems == []


@pytest.mark.parametrize("name", ["baked", "baked.safetensors"])
def test_a_folder_without_a_vae_is_told_its_cure(name, tmp_path):
    folder = shutil.copytree(TINY, tmp_path / "it")
    shutil.move(folder / "vae", tmp_path / "vae")
    baked = tmp_path / name

    for look in (check_reference, lambda path: loading.load(path, device="cpu", offline=True)):
        with pytest.raises(CheckpointError, match=r"The VAE is missing.*vae bake"):
            look(str(folder))
    assert "The VAE is missing" in inspect_path(folder).problems[0]
    check_reference(str(folder), has_vae=True)
    run_recipe(single_step("it", {"operation": "vae-bake", "base": str(folder), "vae": str(tmp_path / "vae")}, baked))
    assert inspect_path(baked).problems == []


def only(*kept):
    def change(folder):
        for path in list(folder.iterdir()):
            if path.name not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def one_part(folder):
    only("unet")(folder)
    for path in list((folder / "unet").iterdir()):
        path.rename(folder / path.name)
    (folder / "unet").rmdir()


def a_file(folder):
    only()(folder)
    (folder / "a.safetensors").touch()


def further_in(folder):
    shutil.move(folder, folder.with_name("was"))
    folder.mkdir()
    shutil.move(folder.with_name("was"), folder / "inner")


INCOMPLETE = {
    "the UNet alone": (only("unet", "model_index.json"), r"it has no folder text_encoder\. Download"),
    "no UNet": (only("model_index.json", "text_encoder", "vae"), r"it has no folder unet\. Download"),
    "one part": (one_part, "It is one part of a checkpoint"),
    "nothing": (only(), "It is empty"),
    "a file": (a_file, r"Name a file in it, such as a\.safetensors"),
    "a folder in a folder": (further_in, r"Name the folder .*inner in it"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_what_is_no_checkpoint_is_named(name, folder):
    change, words = INCOMPLETE[name]
    change(folder)

    with pytest.raises(CheckpointError, match=words):
        check_reference(str(folder))
    assert inspect_path(folder).problems


def test_other_weights_are_named(folder):
    weights(folder, "unet").rename(folder / "unet" / "diffusion_flax_model.msgpack")

    with pytest.raises(CheckpointError, match=r"It has diffusion_flax_model\.msgpack instead"):
        check_reference(str(folder))


def test_variants_are_downloaded():
    names = [f"unet/{STEM}.non_ema.safetensors", f"vae/{STEM}.fp16.bin", "text_encoder/pytorch_model.non_ema.bin"]

    assert set(names) == set(folder_files([*names, "README.md"]))
