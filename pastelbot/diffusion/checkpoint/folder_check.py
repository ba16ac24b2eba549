"""Check of a diffusers folder as a whole, by building its networks without their numbers."""

from pathlib import Path

import torch

from pastelbot.diffusion.networks.build import build_text_encoder, build_unet, build_vae
from pastelbot.diffusion.weights.files import read_folder
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer


def check_folder(folder: Path) -> None:
    """Raise the CheckpointError that loading a diffusers folder would end in; its numbers are not read."""
    nowhere = torch.device("meta")
    weights = read_folder(folder, shapes_only=True)
    build_unet(weights.unet, nowhere, torch.float32)
    build_vae(weights.own_vae, nowhere, torch.float32)
    build_text_encoder(weights.text_encoder, nowhere, torch.float32)
    if weights.tokenizer is not None:
        ClipTokenizer.from_folder(weights.tokenizer)
