"""Between latents and images: each picture is decoded alone, whatever it was painted with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from pastelbot.diffusion.networks.memory import free_memory, is_out_of_memory
from pastelbot.diffusion.networks.seamless import are_edges_joined
from pastelbot.diffusion.networks.unet import place

__all__ = ["AutoencoderKL", "NamedVae", "Vae", "from_pixels", "place_vae", "to_pixels"]

Pixels = NDArray[np.uint8]
_Call = Callable[[Tensor], Tensor]
_CompiledCall = Callable[[Tensor, Callable[[], Tensor]], Tensor]


def place_vae(model: AutoencoderKL, device: torch.device, dtype: torch.dtype) -> AutoencoderKL:
    """Move a VAE to a device, in the memory format that is exact there."""
    place(model, device, dtype, _memory_format(device))
    return model


def _memory_format(device: torch.device) -> torch.memory_format:
    """Return the memory format that a VAE computes in.

    On the CPU it is the contiguous one. There torch's GroupNorm of channels-last tensors takes the variance as the mean
    of the squares less the square of the mean, in float32, and flat parts of a picture leave little of that: latents of
    the small model of the recordings came out up to 5e-2 off, and 2e-5 in the contiguous format.
    """
    return torch.contiguous_format if device.type == "cpu" else torch.channels_last


class VaeCalls(Protocol):
    """Answers in place of a VAE's network where it can; `eager` is the network's own answer."""

    def decode(self, latents: Tensor, eager: Callable[[], Tensor]) -> Tensor:
        """Return the images (rows, 3, 8 height, 8 width) of unscaled latents (rows, 4, height, width)."""

    def encode(self, images: Tensor, eager: Callable[[], Tensor]) -> Tensor:
        """Return the means and log variances (rows, 8, height, width) of images (rows, 3, 8 height, 8 width)."""


class Vae:
    """One checkpoint's autoencoder, safe against half precision's overflow and small memories.

    `compiled` answers in place of the network, apart from pictures that tile and those that memory is short for.
    """

    def __init__(self, model: AutoencoderKL, device: torch.device) -> None:
        self.compiled: VaeCalls | None = None
        self._model = model
        self._device = device
        self._tiled = False
        self._format = _memory_format(device)
        self._scale = float(model.config.scaling_factor)

    @property
    def model(self) -> AutoencoderKL:
        """Return the network itself."""
        return self._model

    def decode(self, latents: Tensor) -> Tensor:
        """Return the image (3, 8 height, 8 width) of latents (4, height, width), about -1 to 1, in float32.

        What overflows in half precision is decoded again in float32; what does not fit into memory, in tiles.
        """
        batch = latents.unsqueeze(0) / self._scale
        image = self._run(self._decode, batch)
        if not bool(torch.isfinite(image).all()) and self._model.dtype == torch.float16:
            # The decoder of SD 1.x overflows in half precision on some latents: from now on it runs in float32.
            place_vae(self._model, self._device, torch.float32)
            image = self._run(self._decode, batch)
        return image[0]

    def encode(self, image: Tensor, noise: Tensor) -> Tensor:
        """Return latents (4, height / 8, width / 8) drawn with `noise` for an image (3, height, width) in -1 to 1."""
        batch = image.unsqueeze(0)
        distribution = self._run(self._moments, batch)
        if not bool(torch.isfinite(distribution).all()) and self._model.dtype == torch.float16:
            place_vae(self._model, self._device, torch.float32)
            distribution = self._run(self._moments, batch)
        mean, log_variance = distribution.chunk(2, dim=1)
        deviation = torch.exp(0.5 * log_variance.clamp(-30.0, 20.0))
        return (mean[0] + deviation[0] * noise.to(mean)) * self._scale

    def _decode(self, batch: Tensor) -> Tensor:
        batch = batch.to(self._model.dtype, memory_format=self._format)
        return self._answer(batch, self._eager_decode, None if self.compiled is None else self.compiled.decode)

    def _eager_decode(self, batch: Tensor) -> Tensor:
        return cast("Tensor", self._model.decode(batch, return_dict=False)[0])

    def _moments(self, batch: Tensor) -> Tensor:
        batch = batch.to(self._device, self._model.dtype, memory_format=self._format)
        return self._answer(batch, self._eager_moments, None if self.compiled is None else self.compiled.encode)

    def _eager_moments(self, batch: Tensor) -> Tensor:
        return cast("Tensor", self._model.encode(batch, return_dict=False)[0].parameters)

    def _answer(self, batch: Tensor, eager: _Call, compiled: _CompiledCall | None) -> Tensor:
        if compiled is None or self._tiled or are_edges_joined(self._model):
            return eager(batch).float()
        return compiled(batch, lambda: eager(batch)).float()

    def _run(self, function: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        try:
            return function(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        free_memory(self._device)
        self._model.enable_tiling()
        self._tiled = True
        try:
            return function(batch)
        finally:
            self._model.disable_tiling()
            self._tiled = False


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedVae:
    """A VAE, and what an infotext says about it: nothing where it is the checkpoint's own."""

    vae: Vae
    name: str = ""
    hash: str = ""


def to_pixels(image: Tensor) -> Pixels:
    """Return uint8 pixels (height, width, 3) of an image (3, height, width) in -1 to 1; truncated, never rounded."""
    levels = ((image + 1.0) / 2.0).clamp(0.0, 1.0) * 255.0
    return levels.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def from_pixels(pixels: Pixels) -> Tensor:
    """Return the image (3, height, width) in -1 to 1 of uint8 pixels (height, width, 3)."""
    return torch.from_numpy(pixels.astype(np.float32) / 255.0).permute(2, 0, 1) * 2.0 - 1.0
