"""LoRA files under other names, with more in them, or for other models: applied, or named."""

import pytest
import torch
from helpers.small_checkpoints import ATTENTION, CROSS, LORA_SHAPES, TEXT_LAYER, make_checkpoint, make_lora, save

from pastelbot.diffusion.embeddings import vectors_among
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError

TARGETS = find_targets(MemorySource(make_checkpoint(), "it").entries)
EMBEDDED = {"bundle_emb.mychar.string_to_param.*": torch.ones(2, 12), "bundle_emb.other.emb_params": torch.ones(1, 12)}


def of_first_text_encoder(tensors):
    return {name.replace("lora_te_", "lora_te1_"): tensor for name, tensor in tensors.items()}


def bound(tensors, tmp_path):
    return open_lora(save(tensors, tmp_path / "a.safetensors")).bind(TARGETS)


@pytest.mark.parametrize("shapes", [LORA_SHAPES, {TEXT_LAYER: (12, 12)}, {TEXT_LAYER: (12, 12), ATTENTION: (8, 8)}])
def test_the_first_text_encoder_is_the_only_one(shapes, tmp_path):
    plain = make_lora(shapes=shapes)

    modules, unknown = bound(of_first_text_encoder(plain), tmp_path)

    assert modules.keys() == bound(plain, tmp_path)[0].keys()
    assert len(modules) == len(shapes)
    assert unknown == []


@pytest.mark.parametrize("extra", [EMBEDDED, dict([*EMBEDDED.items()][:1]), dict([*EMBEDDED.items()][1:])])
def test_embeddings_inside_are_found(extra, tmp_path):
    file = open_lora(save(make_lora() | extra, tmp_path / "a.safetensors"))
    changes, unknown = file.bind(TARGETS)

    assert changes.keys() == bound(make_lora(), tmp_path)[0].keys()
    assert unknown == []
    assert {name.split(".")[1] for name in extra} == file.embeddings.keys()
    assert all(vectors_among(name, tensors).shape[1] == 12 for name, tensors in file.embeddings.items())


@pytest.mark.parametrize("tensors", [make_lora(), of_first_text_encoder(make_lora()), make_lora() | EMBEDDED])
def test_a_pickled_lora_under_state_dict_is_read(tensors, tmp_path):
    torch.save({"state_dict": tensors}, tmp_path / "a.pt")

    assert open_lora(tmp_path / "a.pt").bind(TARGETS)[0].keys() == bound(make_lora(), tmp_path)[0].keys()


@pytest.mark.parametrize(
    "shapes", [{CROSS: (8, 2048)}, {ATTENTION: (8, 8), CROSS: (8, 2048)}, {TEXT_LAYER: (12, 12), CROSS: (8, 2048)}]
)
def test_sdxl_is_named_by_its_width_too(shapes, tmp_path):
    for tensors in (make_lora(shapes=shapes), of_first_text_encoder(make_lora(shapes=shapes))):
        with pytest.raises(CheckpointError, match=r"is an SDXL LoRA, not one for Stable Diffusion 1\.x"):
            bound(tensors, tmp_path)


def test_two_text_encoders_are_sdxl(tmp_path):
    tensors = {name.replace("lora_te_", "lora_te2_"): tensor for name, tensor in make_lora().items()}

    with pytest.raises(CheckpointError, match="is an SDXL LoRA"):
        bound(tensors | of_first_text_encoder(make_lora()), tmp_path)


def test_a_full_checkpoint_under_state_dict_is_none(tmp_path):
    torch.save({"state_dict": make_checkpoint()}, tmp_path / "a.pt")

    with pytest.raises(CheckpointError, match="is a full checkpoint, not a LoRA"):
        open_lora(tmp_path / "a.pt")
