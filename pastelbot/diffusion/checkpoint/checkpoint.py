"""A Stable Diffusion 1.x checkpoint, loaded and ready on one device."""

from dataclasses import dataclass, field

import torch
from transformers.models.clip.modeling_clip import CLIPTextModel

from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.lora.patch import Patches
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.networks.vae import NamedVae, Vae
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """The networks of one checkpoint on one device, and what an infotext says about it.

    `dtype` is the number format of VAE and text encoder, which the UNet's may be other than. `patches` puts LoRAs into
    the networks and takes them out; `vae_name` and `vae_hash` are of a separate file. The UNet of an inpainting one
    (`is_inpainting`) is shown a mask and what stays of a picture, besides the latents.
    """

    name: str
    hash: str
    tokenizer: ClipTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: Vae
    device: torch.device
    dtype: torch.dtype
    prediction_type: str = "epsilon"
    sigmas: ModelSigmas = field(default_factory=ModelSigmas.scaled_linear)
    conditioner: Conditioner
    patches: Patches
    vae_name: str = ""
    vae_hash: str = ""
    is_inpainting: bool = False

    @property
    def rounded_to(self) -> str:
        """Return the number format that "auto" took for the UNet where pixels change by it; "" where they do not."""
        return "bf16" if self.unet.dtype == torch.bfloat16 else ""

    @property
    def own_vae(self) -> NamedVae:
        """Return the VAE, with the name and hash of its file where it has one of its own."""
        return NamedVae(vae=self.vae, name=self.vae_name, hash=self.vae_hash)
