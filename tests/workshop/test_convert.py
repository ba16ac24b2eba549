"""Changing layout, precision and file format, and baking a VAE."""

import json
import shutil

import pytest
import torch
from golden_merge.merge_cases import needed
from helpers.small_checkpoints import SHAPES, UNET, VAE, make_checkpoint, make_lora, make_vae, save
from safetensors.torch import load_file, save_file

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.weights.files import read_file, read_folder, read_vae
from pastelbot.errors import CheckpointError, PastelError, WorkshopError
from pastelbot.workshop.folders import open_checkpoint
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe


def convert(source, out, **values):
    run_recipe(single_step("convert", {"operation": "convert", "source": str(source), **values}, out))
    return out


def bake(base, vae, out, **values):
    run_recipe(single_step("vae-bake", {"operation": "vae-bake", "base": str(base), "vae": str(vae), **values}, out))
    return out


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16)])
def test_precision_is_changed_everywhere_but_in_schedules(files, tmp_path, precision, dtype):
    """Integers stay as well."""
    (source,) = files("a")
    found = load_file(convert(source, tmp_path / "out.safetensors", precision=precision))

    assert torch.equal(load_file(source)[UNET + "out.2.weight"].to(dtype), found[UNET + "out.2.weight"])
    assert (torch.float32, torch.int64) == (found["betas"].dtype, found[next(n for n in found if "ids" in n)].dtype)


def with_ema():
    tensors = make_checkpoint()
    names = [name for name in tensors if name.startswith(UNET)]
    smoothed = {"model_ema." + name.removeprefix("model.").replace(".", ""): tensors[name] + 1 for name in names}
    return tensors | smoothed | {"model_ema.decay": torch.tensor(0.9)}


UNET_TENSORS = sum(name.startswith(UNET) for name in SHAPES)


@pytest.mark.parametrize(("ema", "added", "count"), [("drop", 0, 0), ("use", 1, 0), ("keep", 0, UNET_TENSORS + 1)])
def test_ema_weights_are_dropped_kept_or_used(tmp_path, ema, added, count):
    """The smoothed ones take the place of the UNet's own."""
    source = save(with_ema(), tmp_path / "a.safetensors")
    found = load_file(convert(source, tmp_path / "out.safetensors", ema=ema))

    assert torch.equal(make_checkpoint()[UNET + "out.2.weight"] + added, found[UNET + "out.2.weight"])
    assert count == sum(name.startswith("model_ema.") for name in found)


def test_using_ema_weights_that_are_not_there_is_refused(files, tmp_path):
    """Instead of a silent copy."""
    with pytest.raises(CheckpointError, match="has no EMA weights"):
        convert(*files("a"), tmp_path / "out.safetensors", ema="use")


@pytest.mark.parametrize("legacy", [True, False])
def test_pickled_checkpoint_becomes_safetensors(tmp_path, legacy):
    """The old file format and the new one."""
    tensors = make_checkpoint(dtype=torch.float16)
    path = tmp_path / "a.ckpt"
    torch.save({"state_dict": tensors, "epoch": 3}, path, _use_new_zipfile_serialization=not legacy)
    found = load_file(convert(path, tmp_path / "out.safetensors"))

    assert tensors.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in tensors.items())


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


def test_malicious_pickle_is_refused_and_nothing_is_written(tmp_path):
    """It is not run either."""
    torch.save({"state_dict": {"x": Evil()}}, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=r"builtins\.exec"):
        convert(tmp_path / "a.ckpt", tmp_path / "out.safetensors")

    assert not (tmp_path / "out.safetensors").exists()


def test_metadata_of_a_converted_file_is_kept(tmp_path):
    """A LoRA's trigger words, for example."""
    from safetensors import safe_open

    source = save(make_lora(), tmp_path / "a.safetensors", {"ss_tag_frequency": '{"x": {"mksks style": 3}}'})
    with safe_open(convert(source, tmp_path / "out.safetensors", precision="fp16"), "pt") as file:
        assert '{"x": {"mksks style": 3}}' == file.metadata()["ss_tag_frequency"]


def test_folder_and_single_file_hold_the_same_checkpoint(tmp_path):
    """There and back, as our own reader sees them."""
    if not (bundled_checkpoint() / "tokenizer").exists():
        pytest.skip("the bundled checkpoint is not there")
    base = needed("lora", "base_ldm.safetensors")
    folder = convert(base, tmp_path / "folder")
    back = convert(folder, tmp_path / "back.safetensors")
    one, other, third = read_file(base), read_folder(folder), read_file(back)

    for part in ("unet", "vae", "text_encoder"):
        networks = [getattr(weights, part) for weights in (one, other, third)]
        assert networks[0].tensors.keys() == networks[1].tensors.keys() == networks[2].tensors.keys()
        for name, tensor in networks[0].tensors.items():
            assert torch.equal(tensor, networks[1].tensors[name])
            assert torch.equal(tensor, networks[2].tensors[name])
        assert networks[0].config.items() <= networks[1].config.items()
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "StableDiffusionPipeline"
    with pytest.raises(WorkshopError, match="exists already"):
        convert(base, folder)


def test_folder_of_parts_alone_becomes_a_whole_one(tmp_path):
    """What is beside the weights is inferred from the tensors."""
    if not (bundled_checkpoint() / "tokenizer").exists():
        pytest.skip("the bundled checkpoint is not there")
    folder = convert(needed("lora", "base_diffusers"), tmp_path / "folder")

    assert read_folder(folder).tokenizer == folder / "tokenizer"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"add_embedding.linear_1.weight": torch.zeros(2, 2)}, "an SDXL checkpoint, not"),
        (
            {"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": torch.zeros(8, 1024)},
            "n 2.x checkpoint",
        ),
    ],
)
def test_folders_of_other_families_are_named(tmp_path, tensors, words):
    for part in ("unet", "vae", "text_encoder"):
        shutil.copytree(
            needed("lora", "base_diffusers", part), tmp_path / "other" / part, copy_function=shutil.copyfile
        )
    path = tmp_path / "other" / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(load_file(path) | tensors, path)

    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(tmp_path / "other")


def test_incomplete_checkpoint_makes_no_folder(files, tmp_path):
    """What is missing is named."""
    (path,) = files("a")
    tensors = load_file(path)
    del tensors[UNET + "out.2.weight"]
    with pytest.raises(CheckpointError, match=r"incomplete.* The UNet lacks out\.2\.weight\."):
        convert(save(tensors, path), tmp_path / "folder")

    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("form", ["diffusers folder", "whole checkpoint", "pickled", "alone"])
def test_baked_vae_is_the_separate_one(tmp_path, form):
    """Number for number, from a file or folder of any form; the rest stays."""
    base = needed("lora", "base_ldm.safetensors")
    other = {name: tensor.float() * 2 for name, tensor in load_file(base).items() if name.startswith(VAE)}
    alone = {name.removeprefix(VAE): tensor for name, tensor in other.items()}
    vae = tmp_path / ("vae.pt" if form == "pickled" else "vae.safetensors")
    if form == "pickled":
        torch.save({"state_dict": alone | {"loss.logvar": torch.ones(1)}}, vae)
    elif form == "diffusers folder":
        vae, other = needed("lora", "base_diffusers", "vae"), {}
    else:
        save(alone if form == "alone" else other, vae)
    baked = bake(base, vae, tmp_path / "out.safetensors")
    found, expected = read_file(baked).vae.tensors, read_vae(vae).tensors

    assert expected.keys() == found.keys()
    assert all(
        torch.equal(tensor, found[name]) and tensor.dtype == found[name].dtype for name, tensor in expected.items()
    )
    before, after = load_file(base), load_file(baked)
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith(VAE))


def test_vae_that_does_not_fit_is_refused(files, tmp_path):
    """What is missing or different is named."""
    (base,) = files("a")
    for tensors, words in (
        (
            {name: tensor for name, tensor in make_vae().items() if "encoder.conv_in." not in name},
            "lacks encoder.conv_in",
        ),
        (make_vae(width=5), "does not fit"),
        (make_lora(), "holds no VAE"),
    ):
        with pytest.raises(PastelError, match=words):
            bake(base, save(tensors, tmp_path / "vae.safetensors"), tmp_path / "out.safetensors")
