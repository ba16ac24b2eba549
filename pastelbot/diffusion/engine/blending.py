"""Inpainting while denoising: what is not painted is put back into the latents at every call."""

import dataclasses
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from torch import Tensor

from pastelbot.diffusion.engine.denoiser import DenoiseRequest

DenoiseRequests = Generator[DenoiseRequest, Tensor, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Masked:
    """Latents to start from; `mask` (height, width) is 1 where they are painted, None where all are.

    `source` is what a UNet for inpainting is shown of the picture (5, height, width).
    """

    latents: Tensor
    mask: Tensor | None = None
    source: Tensor | None = None

    def over(self, painted: Tensor, scale: float = 1.0) -> Tensor:
        """Return painted latents with those to start from, times `scale`, where nothing is painted."""
        if self.mask is None:
            return painted
        return painted * self.mask + self.latents * scale * (1 - self.mask)


def blended(requests: DenoiseRequests, start: Masked | None, *, before: bool) -> DenoiseRequests:
    """Put back what is not painted: `before` each call into its latents, else into its answer.

    Before, the latents to start from are put in without noise, as the webui does with samplers of timesteps; the
    sampler is answered with the noise that was predicted there.
    """
    if start is None or start.mask is None:
        return (yield from requests)
    try:
        request = next(requests)
        while True:
            if before:
                x = start.over(request.x, math.sqrt(1 + request.sigma**2))
                denoised = (yield dataclasses.replace(request, x=x)) + (request.x - x)
            else:
                denoised = start.over((yield request))
            request = requests.send(denoised)
    except StopIteration as stop:
        result: Tensor = stop.value
        return result


def with_source(requests: DenoiseRequests, source: Tensor | Callable[[int, int], Tensor]) -> DenoiseRequests:
    """Show a UNet for inpainting what stays with every call; a function is given the latents' rows and columns."""
    try:
        request = next(requests)
        shown = source if isinstance(source, Tensor) else source(*request.x.shape[1:])
        while True:
            request = requests.send((yield dataclasses.replace(request, source=shown)))
    except StopIteration as stop:
        result: Tensor = stop.value
        return result
