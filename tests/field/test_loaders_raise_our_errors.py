"""Every tensor of a network and of an embedding changed in turn: nothing but our own errors comes of it, anywhere."""

from contextlib import suppress

import pytest
import torch
from helpers.network_layers import LAYERS, layer
from helpers.small_checkpoints import ATTENTION, CONVOLUTION, make_checkpoint, save

from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import PastelError
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

WHOLE = make_checkpoint()
TARGETS = find_targets(MemorySource(WHOLE, "it").entries)
SHAPES = {ATTENTION: (8, 8), CONVOLUTION: (8, 8, 3, 3)}


def removed(tensors, name):
    return {key: it for key, it in tensors.items() if key != name}


def renamed(tensors, name):
    return removed(tensors, name) | {f"{name}_old": tensors[name]}


def wider(tensors, name):
    shape = tensors[name].shape or (1,)
    return tensors | {name: torch.ones(*shape[:-1], shape[-1] + 1)}


def higher(tensors, name):
    shape = tensors[name].shape or (1,)
    return tensors | {name: torch.ones(shape[0] + 1, *shape[1:])}


def deeper(tensors, name):
    return tensors | {name: tensors[name][None].clone()}


def flat(tensors, name):
    return tensors | {name: tensors[name].flatten().clone()}


def single(tensors, name):
    return tensors | {name: torch.tensor(1.0)}


def empty(tensors, name):
    return tensors | {name: torch.ones(0)}


def whole_numbers(tensors, name):
    return tensors | {name: tensors[name].to(torch.int64)}


def broken(tensors, name):
    return tensors | {name: torch.full(tensors[name].shape, torch.nan)}


CHANGES = [removed, renamed, wider, higher, deeper, flat, single, empty, whole_numbers, broken]


PAINTED = {target.key_of(part): target.shape_of(part) for target in TARGETS.values() for part in (0, 1)}


def use(path):
    """Do with a network's file what painting and `inspect` do; return whether it was refused."""
    inspect_path(path)
    try:
        changes, _unknown = open_lora(path).bind(TARGETS)
        for key, bound in changes.items():
            bound.load().difference(torch.ones(PAINTED[key]))
    except PastelError:
        return True
    return False


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("name", SHAPES)
def test_every_tensor_of_a_network_in_turn(kind, name, tmp_path):
    tensors = {f"{name}.{role}": it for role, it in layer(kind, SHAPES[name]).items()}
    cases = [(change, changed) for change in CHANGES for changed in tensors]
    paths = [save(change(tensors, changed), tmp_path / f"{n}.safetensors") for n, (change, changed) in enumerate(cases)]

    refused = [use(path) for path in paths]

    assert any(refused)
    assert not use(save(tensors, tmp_path / "whole.safetensors"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save(WHOLE, tmp_path_factory.mktemp("base") / "base.safetensors")


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_network_is_not_merged(change, base, tmp_path):
    tensors = {f"{ATTENTION}.{role}": it for role, it in layer("dora", SHAPES[ATTENTION]).items()}
    refused = 0
    for changed in tensors:
        path = save(change(tensors, changed), tmp_path / "a.safetensors")
        table = {"operation": "lora-merge", "base": str(base), "loras": [{"file": str(path), "weight": 1.0}]}
        try:
            run_recipe(single_step("it", table, tmp_path / "o.safetensors"))
        except PastelError:
            refused += 1

    assert refused


EMBEDDINGS = {
    "kohya": {"emb_params": torch.ones(2, 768)},
    "OneTrainer": {"emb_params": torch.ones(2, 768), "emb_params_out": torch.ones(2, 768)},
    "diffusers": {"<word>": torch.ones(768)},
    "SDXL": {"clip_l": torch.ones(1, 768), "clip_g": torch.ones(1, 1280)},
}


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_every_tensor_of_an_embedding_in_turn(kind, tmp_path):
    tensors = EMBEDDINGS[kind]
    for number, (change, changed) in enumerate((change, each) for change in CHANGES for each in tensors):
        path = save(change(tensors, changed), tmp_path / f"{number}.safetensors")
        torch.save({"string_to_param": change(tensors, changed)}, tmp_path / f"{number}.pt")
        for each in (path, path.with_suffix(".pt")):
            with suppress(PastelError):
                assert read_embedding(each).dim() == 2
            inspect_path(each)
