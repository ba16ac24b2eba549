"""Loading a checkpoint from torch weights: a diffusers folder or a single file."""

from pathlib import Path

import torch

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.devices import NumberFormats, number_formats
from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.lora.patch import NetworkPatches, original_formats
from pastelbot.diffusion.networks.build import build_text_encoder, build_unet, build_vae
from pastelbot.diffusion.networks.vae import NamedVae, Vae
from pastelbot.diffusion.sampling.schedules import sigmas_of
from pastelbot.diffusion.weights.files import Weights, read_file, read_folder, read_vae
from pastelbot.errors import CheckpointError
from pastelbot.formats.hashes import short_hash
from pastelbot.formats.hub import locate_tokenizer
from pastelbot.formats.layout.folder_parts import weights_files
from pastelbot.formats.layout.prediction import NOTHING_STATED, Scheduler
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer

_INPAINTING_CHANNELS = 9  # latents, a mask, and the latents of what stays


def load_torch(
    place: Path,
    name: str | None,
    *,
    vae: NamedVae | None,
    device: torch.device,
    precision: str,
    stated: Scheduler = NOTHING_STATED,
    offline: bool = False,
    cache_dir: Path | None = None,
) -> Checkpoint:
    """Load a folder, called `name` if there is one, or a file; raises CheckpointError.

    `vae` replaces its own, and `stated` what it says of how it predicts.
    """
    own = vae is None
    if place.is_dir():
        weights = read_folder(place, name, needs_vae=own, stated=stated)
    else:
        weights = read_file(place, needs_vae=own, stated=stated)
    formats = number_formats(precision, device, sum(tensor.numel() for tensor in weights.unet.tensors.values()))
    if vae is None:
        vae = NamedVae(vae=Vae(build_vae(weights.own_vae, device, formats.others), device))
    folder = weights.tokenizer or locate_tokenizer(
        bundled_checkpoint() / "tokenizer", offline=offline, cache_dir=cache_dir
    )
    return _assembled(weights, ClipTokenizer.from_folder(folder), vae, device, formats)


def load_torch_vae(place: Path, device: torch.device, dtype: torch.dtype) -> NamedVae:
    """Load a VAE of its own from a file or a diffusers folder; raises CheckpointError."""
    vae = Vae(build_vae(read_vae(place), device, dtype), device)
    files = weights_files(place, "diffusion_pytorch_model") if place.is_dir() else (place,)
    return NamedVae(vae=vae, name=place.name, hash=short_hash(*files))


def _assembled(
    weights: Weights, tokenizer: ClipTokenizer, vae: NamedVae, device: torch.device, formats: NumberFormats
) -> Checkpoint:
    stored = original_formats(weights.unet.tensors, weights.text_encoder.tensors)
    text_encoder = build_text_encoder(weights.text_encoder, device, formats.others)
    known = int(text_encoder.config.vocab_size)
    if known < tokenizer.size:
        raise CheckpointError(
            f"{weights.name} has a text encoder for {known} tokens, but its tokenizer has {tokenizer.size}."
        )
    unet = build_unet(weights.unet, device, formats.unet)
    return Checkpoint(
        name=weights.name,
        hash=weights.hash.result(),
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        unet=unet,
        vae=vae.vae,
        vae_name=vae.name,
        vae_hash=vae.hash,
        device=device,
        dtype=formats.others,
        prediction_type=weights.prediction_type,
        sigmas=sigmas_of(weights.name, weights.scheduler),
        conditioner=Conditioner(tokenizer, text_encoder, device=device, dtype=formats.others),
        patches=NetworkPatches(unet, text_encoder, stored),
        is_inpainting=unet.config.in_channels == _INPAINTING_CHANNELS,
    )
