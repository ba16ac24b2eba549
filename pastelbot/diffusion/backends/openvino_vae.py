"""OpenVINO behind a VAE on CPUs, in float32: one compiled model for each half and size."""

import copy
import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_calls import Predict
from pastelbot.diffusion.backends.compiled_vae import VaeBucket
from pastelbot.diffusion.backends.openvino_cpu import Graph, OpenVinoCpu, as_function, shaped, traced
from pastelbot.diffusion.networks.vae import AutoencoderKL

_CELLS = 9  # a side of the traced latents
_PIXELS = 72  # a side of the traced image


class OpenVinoVaeCompiler:
    """Compiles a VAE in float32 for the CPU. The VAE's weights are in the keys of `cache`."""

    name = "openvino"
    tolerance = 1e-4  # of an answer's norm; those of Stable Diffusion 1.5's size differ by 2e-6

    def __init__(self, vae: AutoencoderKL, *, cache: BlobCache | None = None) -> None:
        # Layers of its own with the same weights: those of the VAE are changed for pictures that tile.
        self._vae = copy.deepcopy(vae, {id(weight): weight for weight in vae.parameters()})
        self._cpu = OpenVinoCpu(torch.float32, cache)
        self._graphs: dict[bool, Graph] = {}

    def has(self, bucket: VaeBucket, *, threads: int) -> bool:
        """Return whether the cache has a bucket."""
        return self._cpu.has(self._key(bucket, threads))

    def compile(self, bucket: VaeBucket, *, threads: int, unchanged: Callable[[], bool]) -> Predict | None:
        """Return the half of a bucket, from the cache or compiled; None where the weights changed meanwhile."""
        key = self._key(bucket, threads)
        compiled = self._cpu.restored(key, threads)
        if compiled is None:
            if bucket.decodes not in self._graphs:
                self._graphs[bucket.decodes] = self._traced(decodes=bucket.decodes)
            compiled = self._cpu.compiled(shaped(self._graphs[bucket.decodes], bucket.size), threads)
            self._cpu.keep(key, compiled)
        # A large picture takes gigabytes, which are for the UNet before and after.
        return as_function(compiled, release=True) if unchanged() else None

    def _traced(self, *, decodes: bool) -> Graph:
        if decodes:
            latents = torch.zeros(1, int(self._vae.config.latent_channels), _CELLS, _CELLS)
            return traced(_Decoder(self._vae), (latents,))
        return traced(_Encoder(self._vae), (torch.zeros(1, 3, _PIXELS, _PIXELS),))

    def _key(self, bucket: VaeBucket, threads: int) -> tuple[str, ...]:
        return self._cpu.key(threads, ("vae", self._identity, bucket.decodes, bucket.size))

    @cached_property
    def _identity(self) -> str:
        """Return the hash of the weights: a checkpoint may be given any VAE."""
        digest = hashlib.sha256()
        for name, weight in self._vae.state_dict().items():
            digest.update(f"{name} {tuple(weight.shape)}".encode())
            digest.update(weight.contiguous().numpy().data)
        return digest.hexdigest()


class _Decoder(nn.Module):
    """The half that decodes, by itself."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self._vae = vae

    def forward(self, latents: Tensor) -> Tensor:
        return cast("Tensor", self._vae.decode(latents, return_dict=False)[0])


class _Encoder(nn.Module):
    """The half that encodes, to means and log variances."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self._vae = vae

    def forward(self, images: Tensor) -> Tensor:
        return cast("Tensor", self._vae.encode(images, return_dict=False)[0].parameters)
