"""A UNet whose calls run compiled where they can."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pastelbot.diffusion.backends.compiled_calls import KEPT, CompiledCalls, Compiler, Start
from pastelbot.diffusion.lora.patch import Patch
from pastelbot.diffusion.networks.unet import UNet2DConditionModel


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What one compiled UNet is for: latents (rows, channels, height, width), tokens, the LoRAs in the weights.

    LoRAs are their files' identities and multipliers: nothing here holds on to their tensors. They are left out where a
    compiled network takes the weights that the UNet has at the time of a call.
    """

    latents: tuple[int, ...]
    tokens: int
    loras: tuple[tuple[str, float], ...]

    @property
    def size(self) -> tuple[int, ...]:
        """Return the shape of the latents."""
        return self.latents


class UnetCompiler(Compiler[Bucket], Protocol):
    """Compiles one UNet for one shape after the other."""

    rows: int  # of the batches that are fastest
    has_loras_inside: bool  # a compiled network keeps the weights that the UNet had


class CompiledUnet:
    """Calls of a UNet, compiled where they can be; called as the UNet of diffusers is.

    `weights` says which LoRAs are in the UNet. At most `kept` shapes stay in memory, the latest used. `start` runs a
    compilation, by default in a thread of its own.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        weights: Patch,
        compiler: UnetCompiler,
        *,
        kept: int = KEPT,
        start: Start | None = None,
    ) -> None:
        self._unet = unet
        self._weights = weights
        self._compiler = compiler
        self._calls = CompiledCalls(compiler, kept=kept, changes=lambda: weights.changes, start=start)

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format that latents and conditionings come in."""
        dtype: torch.dtype = self._unet.dtype
        return dtype

    @property
    def rows(self) -> int:
        """Return how many rows a batch should have at most."""
        return self._compiler.rows

    @property
    def backend(self) -> str:
        """Return the name of what compiles."""
        return self._compiler.name

    @property
    def compiling(self) -> bool:
        """Return whether a shape is being compiled."""
        return self._calls.compiling

    @property
    def sizes(self) -> int:
        """Return how many shapes are compiled, apart from one that the next call takes over."""
        return self._calls.sizes

    def __call__(self, x: Tensor, t: Tensor, context: Tensor, *, return_dict: bool = False) -> tuple[Tensor]:
        """Return the prediction for latents (rows, channels, height, width) with `context` (rows, tokens, dim)."""
        del return_dict  # as the UNet of diffusers has it
        return (self._calls.answer(self._bucket(x, context), (x, t, context), lambda: self._eager(x, t, context)),)

    def _eager(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        answer: Tensor = self._unet(x, t, context, return_dict=False)[0]
        return answer

    def _bucket(self, x: Tensor, context: Tensor) -> Bucket | None:
        """Return the bucket of a call; None while LoRAs are half in the weights."""
        loras = self._weights.used
        if loras is None:
            return None
        inside = loras if self._compiler.has_loras_inside else ()
        named = tuple((lora.identity, multiplier) for lora, multiplier in inside)
        return Bucket(latents=tuple(x.shape), tokens=context.shape[1], loras=named)
