"""A VAE whose calls run compiled where they can."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pastelbot.diffusion.backends.compiled_calls import KEPT, CompiledCalls, Compiler, Start

_WORTH = 2  # pictures of one size before it is compiled


@dataclass(frozen=True, kw_only=True)
class VaeBucket:
    """What one compiled half of a VAE is for: the shape of what it is given, latents or an image."""

    decodes: bool
    size: tuple[int, ...]


class CompiledVae:
    """Calls of a VAE's two halves, compiled where they can be.

    At most `kept` shapes stay in memory, the latest used. `start` runs a compilation, by default in a thread.
    """

    def __init__(self, compiler: Compiler[VaeBucket], *, kept: int = KEPT, start: Start | None = None) -> None:
        self._calls = CompiledCalls(compiler, kept=kept, worth=_WORTH, start=start)

    @property
    def compiling(self) -> bool:
        """Return whether a shape is being compiled."""
        return self._calls.compiling

    @property
    def sizes(self) -> int:
        """Return how many shapes are compiled, apart from one that the next call takes over."""
        return self._calls.sizes

    def decode(self, latents: Tensor, eager: Callable[[], Tensor]) -> Tensor:
        """Return the images (rows, 3, height, width) of unscaled latents; `eager` is torch's answer."""
        return self._calls.answer(VaeBucket(decodes=True, size=tuple(latents.shape)), (latents,), eager)

    def encode(self, images: Tensor, eager: Callable[[], Tensor]) -> Tensor:
        """Return the means and log variances (rows, 8, height, width) of images; `eager` is torch's answer."""
        return self._calls.answer(VaeBucket(decodes=False, size=tuple(images.shape)), (images,), eager)
