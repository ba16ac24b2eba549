"""Checkpoints and VAEs whose parts are missing, or have other names or sizes: read, or refused in a sentence."""

import random
from contextlib import suppress

import pytest
import torch
from helpers.small_checkpoints import TEXT, UNET, VAE, make_checkpoint, make_vae, save
from safetensors.torch import load_file

from pastelbot.diffusion.weights.files import read_file, read_vae
from pastelbot.errors import CheckpointError, PastelError
from pastelbot.formats.identify import identify
from pastelbot.formats.layout.checking import checkpoint_faults, ema_name, vae_faults
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

WHOLE = make_checkpoint()
OF_DIFFUSERS = {"q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
BEFORE_0_17 = {"q": "query", "k": "key", "v": "value", "proj_out": "proj_attn"}


def with_attention_named(tensors, names, *, flat=False):
    """Return tensors whose VAE attention has other names, and matrices for weights where `flat`."""
    renamed = {}
    for name, tensor in tensors.items():
        parts = name.split(".")
        if "attn_1" in parts:
            parts[-2] = names.get(parts[-2], parts[-2])
        is_matrix = flat and "attn_1" in parts and parts[-1] == "weight" and tensor.dim() == 4
        renamed[".".join(parts)] = tensor.flatten(1) if is_matrix else tensor
    return renamed


def without(prefix):
    return {name: tensor for name, tensor in WHOLE.items() if not name.startswith(prefix)}


def vae_without(part):
    return {name: tensor for name, tensor in make_vae().items() if part not in name}


def ema_alone():
    return without(UNET) | {ema_name(name): tensor for name, tensor in WHOLE.items() if name.startswith(UNET)}


def run(operation, out, **table):
    run_recipe(single_step("it", {"operation": operation, **table}, out))
    return load_file(out)


def shapes_of(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


CASES = [(name, change) for name in WHOLE if "." in name for change in ("removed", "renamed", "reshaped", "flattened")]


def changed(name, change):
    """Return the whole checkpoint's shapes with one tensor changed."""
    shapes = shapes_of(WHOLE)
    shape = shapes.pop(name)
    if change == "renamed":
        shapes[f"{name}_old"] = shape
    elif change == "reshaped":
        shapes[name] = (shape[0] + 32, *shape[1:])
    elif change == "flattened":
        shapes[name] = (*shape, 7)
    return shapes


def matters(name, change):
    """Return whether a change leaves something wrong: a vocabulary may be larger, and positions are not stored."""
    return not name.endswith("position_ids") and (change != "reshaped" or "token_embedding" not in name)


def test_a_whole_checkpoint_has_no_faults():
    assert checkpoint_faults(shapes_of(WHOLE)) == []


@pytest.mark.parametrize("part", [UNET, VAE, TEXT])
def test_every_tensor_that_is_changed_is_named(part):
    found = [case for case in CASES if case[0].startswith(part) and matters(*case)]

    for name, change in random.Random(7).sample(found, min(250, len(found))):
        faults = checkpoint_faults(changed(name, change))
        assert len(faults) == 1, (name, change, faults)
        assert name.removeprefix(part) in faults[0]


@pytest.mark.parametrize("case", random.Random(3).sample([case for case in CASES if matters(*case)], 24), ids=str)
def test_nothing_but_our_errors_comes_of_it(case, tmp_path):
    name, change = case
    shapes = changed(name, change)
    path = save({each: torch.zeros(shape) for each, shape in shapes.items()}, tmp_path / "a.safetensors")
    other = save(WHOLE, tmp_path / "b.safetensors")

    for use in (lambda: read_file(path), lambda: check_reference(str(path))):
        with pytest.raises(PastelError):
            use()
    with suppress(PastelError):  # a merge may note what only one of the two has
        run("weighted-sum", tmp_path / "m.safetensors", a=str(path), b=str(other), weight=0.5)
    assert inspect_path(path).problems or identify(shapes) != "a Stable Diffusion 1.x checkpoint"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (without(VAE), "The VAE is missing. Name one"),
        (without(VAE + "decoder."), "The VAE lacks decoder.conv_in.weight, decoder.conv_in.bias"),
        (without(VAE + "quant_conv."), "The VAE lacks quant_conv.weight, quant_conv.bias."),
        (without(TEXT + "final_layer_norm."), "The text encoder lacks final_layer_norm.weight"),
        (without(TEXT + "encoder."), "The text encoder lacks encoder.layers.0.self_attn.q_proj.weight"),
        (without(UNET + "middle_block."), "The UNet lacks middle_block.0.in_layers.0.weight"),
        (without(UNET + "input_blocks.0."), "The UNet lacks input_blocks.0.0.weight, input_blocks.0.0.bias."),
        (without(UNET), "is a VAE of Stable Diffusion, not"),
        (ema_alone(), "its EMA weights alone (`pastelbot convert --ema use` makes it usable)"),
        (without(VAE) | {VAE + name: tensor for name, tensor in make_vae(width=4).items()}, ""),
        (
            WHOLE | {VAE + "post_quant_conv.weight": torch.zeros(16, 16, 1, 1)},
            "The VAE has another shape at post_quant_conv.weight, which is [16, 16, 1, 1] instead of [4, 4, 1, 1].",
        ),
    ],
)
def test_what_is_wrong_is_said_before_loading(tensors, words, tmp_path):
    path = save(tensors, tmp_path / "a.safetensors")
    if not words:
        read_file(path)
        return

    for use in (read_file, lambda path: check_reference(str(path))):
        with pytest.raises(CheckpointError) as caught:
            use(path)
        assert words in str(caught.value)


def test_a_vae_of_its_own_stands_in_for_a_missing_one(tmp_path):
    path = save(without(VAE), tmp_path / "a.safetensors")

    check_reference(str(path), has_vae=True)
    assert read_file(path, needs_vae=False).vae is None


def test_baking_is_the_cure_for_a_missing_vae(tmp_path):
    path = save(without(VAE), tmp_path / "a.safetensors")
    vae = save(make_vae(), tmp_path / "vae.safetensors")

    baked = run("vae-bake", tmp_path / "baked.safetensors", base=str(path), vae=str(vae))

    assert checkpoint_faults(shapes_of(baked)) == []


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("names", [OF_DIFFUSERS, BEFORE_0_17])
def test_the_vae_attention_of_diffusers_is_read(names, flat, tmp_path):
    path = save(with_attention_named(WHOLE, names, flat=flat), tmp_path / "a.safetensors")
    alone = save(with_attention_named(make_vae(), names, flat=flat), tmp_path / "vae.safetensors")
    expected, vae = read_file(save(WHOLE, tmp_path / "b.safetensors")), read_vae(alone)

    found = read_file(path)

    assert inspect_path(path).problems == inspect_path(alone).problems == []
    assert found.own_vae.tensors.keys() == expected.own_vae.tensors.keys() == vae.tensors.keys()
    assert all(torch.equal(tensor, expected.own_vae.tensors[name]) for name, tensor in found.own_vae.tensors.items())


@pytest.mark.parametrize("names", [OF_DIFFUSERS, BEFORE_0_17])
def test_a_merge_writes_the_original_names_alone(names, tmp_path):
    a = save(with_attention_named(WHOLE, names, flat=True), tmp_path / "a.safetensors")
    b = save(WHOLE, tmp_path / "b.safetensors")

    merged = run("weighted-sum", tmp_path / "m.safetensors", a=str(a), b=str(b), weight=0.5)

    assert shapes_of(merged) == shapes_of(WHOLE)


def test_where_both_names_are_there_the_original_one_counts(tmp_path):
    extra = {name: tensor + 1 for name, tensor in with_attention_named(WHOLE, OF_DIFFUSERS).items()}
    path = save(extra | WHOLE, tmp_path / "a.safetensors")

    converted = run("convert", tmp_path / "c.safetensors", source=str(path))

    assert shapes_of(converted) == shapes_of(WHOLE)
    assert all(torch.equal(converted[name], tensor) for name, tensor in WHOLE.items())


def test_ema_weights_alone_are_named_and_made_usable(tmp_path):
    path = save(ema_alone() | {"model_ema.decay": torch.tensor(0.9)}, tmp_path / "a.safetensors")

    assert inspect_path(path).facts["kind"].startswith("a Stable Diffusion 1.x checkpoint with its EMA weights alone")
    converted = run("convert", tmp_path / "c.safetensors", source=str(path), ema="use")
    assert shapes_of(converted) == shapes_of(WHOLE)
    with pytest.raises(CheckpointError, match="--ema use"):
        run("convert", tmp_path / "d.safetensors", source=str(path), ema="drop")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({name: tensor for name, tensor in make_vae().items() if "encoder" not in name}, "The VAE lacks encoder."),
        (
            {name: tensor for name, tensor in make_vae().items() if "attn_1.q" not in name},
            "lacks encoder.mid.attn_1.q.",
        ),
        (make_vae() | {"decoder.conv_in.weight": torch.zeros(4, 16, 3, 3)}, "[4, 16, 3, 3] instead of [4, 4, 3, 3]"),
        ({"decoder.conv_in.weight": torch.zeros(4, 4, 3, 3)}, "The VAE lacks quant_conv.weight"),
    ],
)
def test_a_vae_that_is_not_whole_is_refused_everywhere(tensors, words, tmp_path):
    path = save(tensors, tmp_path / "vae.safetensors")
    base = save(WHOLE, tmp_path / "a.safetensors")

    for use in (read_vae, lambda path: run("vae-bake", tmp_path / "o.safetensors", base=str(base), vae=str(path))):
        with pytest.raises(CheckpointError) as caught:
            use(path)
        assert words in str(caught.value)
    assert words in " ".join(inspect_path(path).problems)


def test_every_tensor_of_a_vae_is_checked():
    shapes = shapes_of(make_vae())

    for name in random.Random(1).sample(sorted(shapes), 60):
        assert vae_faults({each: shape for each, shape in shapes.items() if each != name}) == [f"The VAE lacks {name}."]
