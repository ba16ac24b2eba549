"""One checkpoint in two layouts."""

import pytest
import torch
from merge_cases import needed
from safetensors.torch import load_file

from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource
from pastelbot.workshop.folders import diffusers_parts, open_folder

WEIGHTS = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}


def test_folder_is_the_same_checkpoint_as_the_single_file():
    """All 1131 tensors of the networks, the positions as they must be."""
    folder = open_folder(needed("lora", "base_diffusers")).source
    expected = load_file(needed("lora", "base_ldm.safetensors"))
    expected = {name: tensor for name, tensor in expected.items() if "." in name}

    assert expected.keys() == folder.entries.keys()
    assert all(torch.equal(tensor, folder.read(name)) for name, tensor in expected.items())


@pytest.mark.parametrize("part", WEIGHTS)
def test_single_file_is_the_same_checkpoint_as_the_folder(part):
    """Its positions are computed, not stored, in newer folders."""
    source = diffusers_parts(SafetensorsSource(needed("lora", "base_ldm.safetensors")))[part]
    expected = load_file(needed("lora", "base_diffusers", part, WEIGHTS[part]))
    expected.pop("text_model.embeddings.position_ids", None)

    assert expected.keys() == source.entries.keys()
    assert all(torch.equal(tensor, source.read(name)) for name, tensor in expected.items())
