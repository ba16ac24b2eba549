"""Twenty more checkpoints and VAEs that are not whole: kind C of the cases from the field, and its neighbours.

And the fuzz: every tensor removed, renamed and reshaped in turn. Nothing but our own errors may come of any of them.
"""

from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from helpers.small_checkpoints import TEXT, UNET, VAE, make_checkpoint, make_vae, save

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.networks.build import build_vae
from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.files import read_file, read_vae
from pastelbot.errors import CheckpointError, PastelError
from pastelbot.formats.layout.checking import checkpoint_faults, vae_faults
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

WHOLE = make_checkpoint()
PARTS = {UNET: "unet.", TEXT: "text_encoder.text_model.", VAE: "vae."}


def without(*prefixes):
    return {name: it for name, it in WHOLE.items() if not name.startswith(prefixes)}


def only(prefix, new=""):
    return {new + name.removeprefix(prefix): it for name, it in WHOLE.items() if name.startswith(prefix)}


def reshaped(name, *shape):
    return WHOLE | {name: torch.zeros(shape)}


PROJECTION = f"{UNET}input_blocks.1.1.proj_in.weight"
REFUSED = {
    "UNet alone, without prefix": (only(UNET), "is a UNet without its other parts"),
    "UNet alone, ComfyUI's prefix": (only(UNET, "diffusion_model."), "is a UNet without its other"),
    "UNet alone": (only(UNET, UNET), "the UNet of a checkpoint without its text encoder"),
    "text encoder alone": (only(TEXT, TEXT), "a text encoder"),
    "VAE alone": (only(VAE), "is a VAE of Stable Diffusion"),
    "VAE alone, with prefix": (only(VAE, VAE), "is a VAE of Stable Diffusion"),
    "no text encoder": (without(TEXT), "without its text encoder"),
    "no token embedding": (without(f"{TEXT}embeddings.token_embedding"), "The text encoder lacks embeddings.token_emb"),
    "no layers of the text encoder": (without(f"{TEXT}encoder."), "The text encoder lacks encoder.layers.0"),
    "no decoder": (without(f"{VAE}decoder."), "The VAE lacks decoder.conv_in.weight"),
    "no encoder": (without(f"{VAE}encoder."), "The VAE lacks encoder.conv_in.weight"),
    "no output block": (without(f"{UNET}output_blocks.11."), "The UNet lacks output_blocks.11"),
    "no time embedding": (without(f"{UNET}time_embed."), "The UNet lacks time_embed.0.weight"),
    "a projection as a matrix": (reshaped(PROJECTION, 8, 8), "another shape at input_blocks.1.1.proj_in.weight"),
    "a tensor without numbers": (reshaped(PROJECTION, 0), "another shape at input_blocks.1.1.proj_in.weight"),
    "one number for a tensor": (reshaped(PROJECTION), "another shape at input_blocks.1.1.proj_in.weight"),
    "another width in one layer": (reshaped(f"{UNET}middle_block.1.proj_in.weight", 8, 16, 1, 1), "another shape at"),
    "a VAE of 16 channels": (reshaped(f"{VAE}decoder.conv_in.weight", 4, 16, 3, 3), "another shape at decoder.conv_in"),
    "no tensor at all": ({"a.b": torch.ones(1)}, "is an unknown kind of file"),
    "a ControlNet inside": (WHOLE | {"control_model.input_blocks.0.0.weight": torch.ones(1)}, "a ControlNet"),
    "quantised tensors": (WHOLE | {f"{PROJECTION}.absmax": torch.ones(4)}, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name_everywhere(name, tmp_path):
    tensors, words = REFUSED[name]
    path = save({key: it.contiguous() for key, it in tensors.items()}, tmp_path / "a.safetensors")
    if not words:
        assert read_file(path)
        return

    for use in (read_file, lambda path: check_reference(str(path))):
        with pytest.raises(CheckpointError) as caught:
            use(path)
        assert words in str(caught.value)
    said = inspect_path(path)
    assert words in " ".join([*said.problems, f"is {said.facts['kind']}", "is an unknown kind of file"])
    for operation, table in OPERATIONS.items():
        with suppress(PastelError):
            places = {key: str(path) if value == "it" else value for key, value in table.items()}
            run_recipe(single_step("it", {"operation": operation, **places}, tmp_path / "o.safetensors"))


OPERATIONS = {
    "weighted-sum": {"a": "it", "b": "it", "weight": 0.5},
    "vae-bake": {"base": "it", "vae": "it"},
    "convert": {"source": "it"},
    "lora-extract": {"original": "it", "tuned": "it", "rank": 1},
}


@pytest.mark.parametrize("prefix", ["cond_stage_model.clip_l.transformer.", "text_encoders.clip_l.transformer."])
def test_comfyuis_names_of_the_text_encoder_are_read(prefix, tmp_path):
    named = {name.replace("cond_stage_model.transformer.", prefix): it for name, it in WHOLE.items()}
    path, plain = save(named, tmp_path / "a.safetensors"), save(WHOLE, tmp_path / "b.safetensors")

    found, expected = read_file(path).text_encoder.tensors, read_file(plain).text_encoder.tensors

    assert named.keys() != WHOLE.keys()
    assert inspect_path(path).problems == []
    assert found.keys() == expected.keys()
    assert all(torch.equal(it, expected[name]) for name, it in found.items())


VAES = {
    "TAESD": (
        {"decoder.layers.0.weight": torch.ones(4, 4, 3, 3), "encoder.layers.0.weight": torch.ones(4)},
        "not a VAE",
    ),
    "no encoder": ({name: it for name, it in make_vae().items() if not name.startswith("encoder")}, "lacks encoder."),
    "no middle": ({name: it for name, it in make_vae().items() if "decoder.mid" not in name}, "lacks decoder.mid"),
    "a text encoder": (only(TEXT, TEXT), "is a text encoder"),
}


@pytest.mark.parametrize("name", VAES)
def test_a_vae_is_refused_by_name(name, tmp_path):
    tensors, words = VAES[name]
    path = save(tensors, tmp_path / "vae.safetensors")

    with pytest.raises(CheckpointError) as caught:
        read_vae(path)
    assert words in str(caught.value)


def removed(shapes, name):
    return {key: it for key, it in shapes.items() if key != name}


def renamed(shapes, name):
    return removed(shapes, name) | {f"{name}_old": shapes[name]}


def reshaped_by_one(shapes, name):
    return shapes | {name: (*shapes[name][:-1], shapes[name][-1] + 1) if shapes[name] else (1,)}


def load(shapes):
    """Do what a loader does with the names and shapes of a file."""
    tensors = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    ldm.unet_config(ldm.unet_tensors(tensors))
    ldm.text_config(ldm.text_tensors(tensors))


CHANGES = [removed, renamed, reshaped_by_one]


@pytest.mark.parametrize("change", CHANGES)
def test_every_tensor_of_a_checkpoint_is_checked_before_a_loader_misses_it(change):
    """What passes the check goes through the loader; what is no part of it, such as a schedule, matters to neither.

    The VAE's are checked in a test of their own, which takes less time.
    """
    shapes = {name: tuple(it.shape) for name, it in without(VAE).items()}
    passed = []
    for name in shapes:
        changed = change(shapes, name)
        if not checkpoint_faults(changed, needs_vae=False):
            passed.append(name)
            load(changed)

    assert {name for name in passed if "." in name} == {f"{TEXT}embeddings.position_ids"}


@pytest.mark.parametrize("change", CHANGES)
def test_every_tensor_of_a_vae_is_checked_in_turn(change):
    shapes = {name: tuple(it.shape) for name, it in make_vae().items()}

    assert all(vae_faults(change(shapes, name)) for name in shapes)


def test_whole_numbers_for_weights_are_loaded():
    whole = {"decoder.conv_out.bias": torch.tensor([1, 2, 3])}
    network = read_vae(bundled_checkpoint() / "vae")

    vae = build_vae(replace(network, tensors={**network.tensors, **whole}), torch.device("cpu"), torch.float32)

    assert vae.decoder.conv_out.bias.tolist() == [1, 2, 3]
