"""A VAE that lets a test look, and reach in, where a picture goes through pixels.

Between the two passes of a pixel upscaler the image is cut to whole levels. There a float error of 1e-6, which is the
difference between two processors, moves a value across the edge of a level now and then, and one such level moves the
latents that are encoded from it by a hundredth. So what comes before and what comes after are compared apart: the
picture in levels, and then everything after it, from the same picture or the same encoded latents.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pastelbot.diffusion.networks.vae import Pixels, Vae, to_pixels

FLIPPED = 0.002  # of the values; about what latents that are off by 3e-5 on average give


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What was encoded with which noise into what, and the picture that was decoded just before (None: none)."""

    before: Pixels | None
    image: Tensor
    noise: Tensor
    latents: Tensor


class WatchedVae:
    """Keeps what is encoded; answers with the latents (4, height / 8, width / 8) of `answers`, as long as there are."""

    def __init__(self, vae: Vae, answers: list[Tensor] | None = None) -> None:
        self._vae = vae
        self._answers = list(answers or [])
        self._decoded: Pixels | None = None
        self.encodings: list[Encoding] = []

    @property
    def model(self):
        return self._vae.model

    def decode(self, latents: Tensor) -> Tensor:
        image = self._vae.decode(latents)
        self._decoded = to_pixels(image)
        return image

    def encode(self, image: Tensor, noise: Tensor) -> Tensor:
        latents = self._answers.pop(0) if self._answers else self._vae.encode(image, noise)
        self.encodings.append(Encoding(before=self._decoded, image=image, noise=noise, latents=latents))
        self._decoded = None
        return latents


def levels_apart(expected: Pixels, actual: Pixels) -> tuple[float, float]:
    """Return the largest difference in levels and the share of values that differ."""
    assert expected.shape == actual.shape
    difference = np.abs(expected.astype(int) - actual.astype(int))
    return float(difference.max()), float((difference > 0).mean())


def assert_same_but_for_rounding(expected: Pixels, actual: Pixels, *, share: float = FLIPPED) -> None:
    """Compare two pictures before an upscaler: one level apart at most, in a tiny share of the values."""
    largest, differing = levels_apart(expected, actual)

    assert largest <= 1
    assert differing <= share
