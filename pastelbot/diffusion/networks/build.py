"""Networks from configurations and tensors, without initialising anything twice.

Building takes the tensors out of the given network, so that each is in memory once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel

from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.networks.unet import UNet2DConditionModel, prepare_unet
from pastelbot.diffusion.networks.vae import AutoencoderKL, place_vae
from pastelbot.diffusion.weights.files import Network
from pastelbot.errors import CheckpointError


def build_unet(network: Network, device: torch.device, dtype: torch.dtype) -> UNet2DConditionModel:
    """Return the UNet on the device."""
    with torch.device("meta"), _fitting("UNet"):
        unet = LeanUnet.from_config(public_config(network.config))
    _fill(unet, network.tensors, "UNet")
    return prepare_unet(unet, device, dtype)


def build_vae(network: Network, device: torch.device, dtype: torch.dtype) -> AutoencoderKL:
    """Return the VAE on the device."""
    with torch.device("meta"), _fitting("VAE"):
        vae = AutoencoderKL.from_config(public_config(network.config))
        float(vae.config.scaling_factor)  # which the latents are divided by
    _fill(vae, network.tensors, "VAE")
    return place_vae(vae, device, dtype).eval().requires_grad_(False)


def build_text_encoder(network: Network, device: torch.device, dtype: torch.dtype) -> CLIPTextModel:
    """Return the text encoder on the device."""
    with torch.device("meta"), _fitting("text encoder"):
        config = CLIPTextConfig(**public_config(network.config))
        model = CLIPTextModel(config)
    inner = getattr(model, "text_model", model)
    _fill(inner, network.tensors, "text encoder")
    # The positions are computed, not stored.
    inner.embeddings.position_ids = torch.arange(config.max_position_embeddings).unsqueeze(0)
    return model.to(device=device, dtype=dtype).eval().requires_grad_(False)


def public_config(config: Mapping[str, object]) -> dict[str, object]:
    """Return a configuration without what its file says about the file."""
    ignored = ("architectures", "model_type", "torch_dtype", "dtype", "transformers_version")
    return {key: value for key, value in config.items() if not key.startswith("_") and key not in ignored}


@contextmanager
def _fitting(part: str) -> Iterator[None]:
    """Let what a library says about a configuration that it cannot build be a CheckpointError."""
    try:
        yield
    except Exception as error:
        raise CheckpointError(f"The checkpoint's {part} cannot be built from its configuration: {error}") from error


def _fill(module: nn.Module, tensors: dict[str, Tensor], part: str) -> None:
    """Put the tensors into a module whose own are only shapes; every one must be there.

    Whole numbers become fractional ones, as torch has it where it copies them.
    """
    fractional = {name for name, own in module.state_dict().items() if own.is_floating_point()}
    given = {name: _fractional(tensor) if name in fractional else tensor for name, tensor in tensors.items()}
    tensors.clear()
    try:
        missing, _unexpected = module.load_state_dict(given, strict=False, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"The checkpoint's {part} does not fit its configuration: {error}") from error
    if missing:
        raise CheckpointError(f"The checkpoint's {part} lacks {len(missing)} tensors, the first is {missing[0]}.")


def _fractional(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_floating_point() else tensor.float()
