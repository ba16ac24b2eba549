"""OpenVINO behind a UNet on CPUs: one compiled model a shape, in float32 or bfloat16."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_calls import Predict
from pastelbot.diffusion.backends.compiled_unet import Bucket
from pastelbot.diffusion.backends.openvino_cpu import Graph, OpenVinoCpu, as_function, shaped, traced
from pastelbot.diffusion.networks.unet import UNet2DConditionModel, float_copy

# Odd at every level, so that the traced UNet fits its features to the skip connections' size at every level.
_TRACED = 9
# Of an answer's norm. The UNet of Stable Diffusion 1.5 differs by 3e-6, and in bfloat16 by 2.2e-2 from float32.
_TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 6e-2}


class OpenVinoUnetCompiler:
    """Compiles a UNet for the CPU. `identity` is of the checkpoint's content, in the keys of `cache`."""

    name = "openvino"
    rows = 2  # larger batches were slower on every CPU that was measured, and each is another shape
    has_loras_inside = True

    def __init__(self, unet: UNet2DConditionModel, *, identity: str, cache: BlobCache | None = None) -> None:
        self._unet = unet
        self.tolerance = _TOLERANCES[unet.dtype]
        self._cpu = OpenVinoCpu(unet.dtype, cache if identity else None)
        self._identity = identity
        self._graph: Graph | None = None  # of the weights without LoRAs

    def has(self, bucket: Bucket, *, threads: int) -> bool:
        """Return whether the cache has a bucket."""
        return self._cpu.has(self._key(bucket, threads))

    def compile(self, bucket: Bucket, *, threads: int, unchanged: Callable[[], bool]) -> Predict | None:
        """Return the UNet for a bucket, from the cache or compiled; None where the weights changed meanwhile."""
        key = self._key(bucket, threads)
        compiled = self._cpu.restored(key, threads)
        if compiled is not None:
            return as_function(compiled)
        graph = self._traced() if bucket.loras or self._graph is None else self._graph
        rows, width = bucket.latents[0], int(self._unet.config.cross_attention_dim)
        compiled = self._cpu.compiled(shaped(graph, bucket.latents, [rows], [rows, bucket.tokens, width]), threads)
        if not unchanged():
            return None
        if not bucket.loras and self._unet.dtype == torch.float32:
            self._graph = graph
        self._cpu.keep(key, compiled)
        return as_function(compiled)

    def _traced(self) -> Graph:
        width = int(self._unet.config.cross_attention_dim)
        channels = int(self._unet.config.in_channels)
        example = (torch.zeros(2, channels, _TRACED, _TRACED), torch.ones(2), torch.zeros(2, 77, width))
        return traced(_OneOutput(self._in_float32()), example)

    def _in_float32(self) -> UNet2DConditionModel:
        """Return the UNet, or a copy in float32: OpenVINO crashed on graphs of bfloat16, and changes what it traces."""
        if self._unet.dtype == torch.float32:
            return self._unet
        return float_copy(self._unet)

    def _key(self, bucket: Bucket, threads: int) -> tuple[str, ...]:
        return self._cpu.key(threads, (self._identity, bucket.latents, bucket.tokens, bucket.loras))


class _OneOutput(nn.Module):
    """The UNet with its only output by itself, as the converter wants it."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self._unet = unet

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        return cast("Tensor", self._unet(x, t, context, return_dict=False)[0])
