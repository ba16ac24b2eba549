"""Noise, number for number as the webui draws it: one generator per image, independent of the batch.

`NV` is the noise of an NVIDIA card, computed anywhere: the counter-based Philox 4x32 of Salmon et al. 2011 ("Parallel
random numbers: as easy as 1, 2, 3") and the Box-Muller transform with cuRAND's constants. `CPU` is torch's own
generator. `GPU`, the webui's word for "whatever the card gives", means `NV`: published seeds were painted on such
cards.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pastelbot.choices import NOISE_SOURCES
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest

Shape = tuple[int, ...]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)


class NoiseGenerator(Protocol):
    """A seeded stream of standard normal tensors."""

    def randn(self, shape: Shape) -> Tensor:
        """Return the next float32 tensor of `shape`, on the CPU."""


class _PhiloxGenerator:
    """The normal numbers that `torch.randn` gives on CUDA, for tensors that one launch fills."""

    def __init__(self, seed: int) -> None:
        self._key = (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
        self._offset = 0

    def randn(self, shape: Shape) -> Tensor:
        """Return the next float32 tensor of `shape`, on the CPU."""
        count = int(np.prod(shape))
        first, second = self._philox(count)
        self._offset += 1
        return torch.from_numpy(_box_muller(first, second).reshape(shape))

    def _philox(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Encrypt the counters (offset, 0, element, 0) and return the first two of the four words."""
        words = [np.zeros(count, np.uint32) for _ in range(4)]
        words[0] += np.uint32(self._offset)
        words[2] = np.arange(count, dtype=np.uint32)
        keys = [np.full(1, part, np.uint32) for part in self._key]
        for _ in range(_ROUNDS):
            words = _philox_round(words, keys)
            keys = [key + weyl for key, weyl in zip(keys, _WEYL, strict=True)]
        return words[0], words[1]


def _philox_round(words: list[np.ndarray], keys: list[np.ndarray]) -> list[np.ndarray]:
    even = words[0].astype(np.uint64) * _MULTIPLIERS[0]
    odd = words[2].astype(np.uint64) * _MULTIPLIERS[1]
    return [
        (odd >> np.uint64(32)).astype(np.uint32) ^ words[1] ^ keys[0],
        (odd & _LOW).astype(np.uint32),
        (even >> np.uint64(32)).astype(np.uint32) ^ words[3] ^ keys[1],
        (even & _LOW).astype(np.uint32),
    ]


def _box_muller(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Turn two uniform words into one normal number; float64 after the float32 constants of cuRAND."""
    step = np.float64(np.float32(2.3283064e-10))
    angle_step = np.float64(np.float32(2.3283064e-10 * 6.2831855))
    radius = np.sqrt(-2.0 * np.log(first * step + step / 2))
    return (radius * np.sin(second * angle_step + angle_step / 2)).astype(np.float32)


class TorchGenerator:
    """Torch's CPU generator."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)

    def randn(self, shape: Shape) -> Tensor:
        """Return the next float32 tensor of `shape`, on the CPU."""
        return torch.randn(shape, generator=self._generator)


def make_generator(source: str, seed: int) -> NoiseGenerator:
    """Return the generator of noise source `source`."""
    if source not in NOISE_SOURCES:
        raise LimitError(f"Noise source {source!r} is unknown; the known ones are {', '.join(NOISE_SOURCES)}.")
    return TorchGenerator(seed) if source == "CPU" else _PhiloxGenerator(seed)


@dataclass(frozen=True, kw_only=True)
class NoiseRecipe:
    """What decides one image's noise. Sizes are pixels; a resize of (0, 0) means none."""

    seed: int
    subseed: int = 0
    subseed_strength: float = 0.0
    resize_width: int = 0
    resize_height: int = 0
    seed_delta: int = 31337
    source: str = "NV"

    @classmethod
    def of(cls, request: GenerationRequest, index: int) -> "NoiseRecipe":
        """Return the recipe of picture `index`: with a variation only the subseeds count up, else only the seeds."""
        varied = request.subseed_strength != 0
        return cls(
            seed=request.seed if varied else request.seed + index,
            subseed=request.subseed + index,
            subseed_strength=request.subseed_strength,
            resize_width=request.seed_resize_width,
            resize_height=request.seed_resize_height,
            seed_delta=request.eta_noise_seed_delta,
            source=request.noise_source,
        )


class ImageNoise:
    """The sequence of draws for one image: first the initial noise, then what ancestral samplers add."""

    def __init__(self, recipe: NoiseRecipe, shape: Shape) -> None:
        """Prepare draws of latent shape `shape` (channels, height, width)."""
        self.shape = shape
        self._recipe = recipe
        self._generator: NoiseGenerator | None = None

    def draw(self) -> Tensor:
        """Return the next (channels, height, width) noise on the CPU."""
        if self._generator is not None:
            return self._generator.randn(self.shape)
        recipe = self._recipe
        self._generator = make_generator(recipe.source, recipe.seed)
        noise = self._initial(self._generator)
        if recipe.seed_delta:
            # ENSD: later draws come from another seed, so that they do not repeat the neighbouring seed's picture.
            self._generator = make_generator(recipe.source, recipe.seed + recipe.seed_delta)
        return noise

    def _initial(self, generator: NoiseGenerator) -> Tensor:
        recipe = self._recipe
        shape = self.shape
        if recipe.resize_width > 0 and recipe.resize_height > 0:
            shape = (shape[0], recipe.resize_height // 8, recipe.resize_width // 8)
        resized = shape != self.shape
        noise = make_generator(recipe.source, recipe.seed).randn(shape) if resized else generator.randn(shape)
        if recipe.subseed_strength != 0:
            other = make_generator(recipe.source, recipe.subseed).randn(shape)
            noise = _slerp(noise, other, recipe.subseed_strength)
        return _pasted(noise, generator.randn(self.shape)) if resized else noise


def _slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Interpolate spherically between two (channels, height, width) noises, each column of each channel on its own."""
    direction = start / start.norm(dim=1, keepdim=True), end / end.norm(dim=1, keepdim=True)
    cosine = (direction[0] * direction[1]).sum(1)
    if cosine.mean() > 0.9995:  # nearly the same direction: the sines below would cancel
        return start * (1 - share) + end * share
    angle = torch.acos(cosine)
    weights = torch.sin((1.0 - share) * angle) / torch.sin(angle), torch.sin(share * angle) / torch.sin(angle)
    return weights[0].unsqueeze(1) * start + weights[1].unsqueeze(1) * end


def _pasted(noise: Tensor, canvas: Tensor) -> Tensor:
    """Return `canvas` with the middle of `noise` in its middle (both channels, height, width)."""
    for axis in (1, 2):
        margin = (canvas.shape[axis] - noise.shape[axis]) // 2
        if margin < 0:
            noise = noise.narrow(axis, -margin, noise.shape[axis] + 2 * margin)
    top, left = (max(0, (canvas.shape[axis] - noise.shape[axis]) // 2) for axis in (1, 2))
    canvas[:, top : top + noise.shape[1], left : left + noise.shape[2]] = noise
    return canvas
