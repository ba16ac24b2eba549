"""A Brownian path per image, whose value at a level does not depend on which levels a sampler asks for.

The path is refined by halves down to a millionth, each half's middle drawn from a seed of its own: the virtual Brownian
tree of Li et al. 2020 ("Scalable gradients for stochastic differential equations"), with the seeds that torchsde's
`BrownianTree` derives, so that it equals the one that the webui walks.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from pastelbot.diffusion.sampling.rng import Shape, make_generator

_DIGITS = 6
_POOL_SIZE = 24


class BrownianPath:
    """One image's Brownian motion over sigma, between the smallest and the largest level of a schedule."""

    def __init__(self, seed: int, shape: Shape, sigmas: Sequence[float], source: str) -> None:
        """Prepare a path of latent shape `shape` with noise source `source` over the positive `sigmas`."""
        self._seed = seed
        self._shape = shape
        self._source = source
        positive = [sigma for sigma in sigmas if sigma > 0]
        self._span = min(positive), max(positive)
        # A sampler asks for steps that share their ends.
        self._value = functools.lru_cache(maxsize=4)(self._descend)

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """Return the path's change from `sigma` to `sigma_next`, scaled to unit variance (float32, CPU)."""
        low, high = (round(level, _DIGITS) for level in sorted((sigma, sigma_next)))
        if low == high:
            return self._value(low) * 0.0
        change = (self._value(high) - self._value(low)) / math.sqrt(abs(sigma - sigma_next))
        return change if sigma_next > sigma else -change

    def _descend(self, level: float) -> Tensor:
        """Return the path's value at `level`, relative to its lower end."""
        first, last = self._span
        whole = self._normal(np.random.SeedSequence(self._seed, pool_size=_POOL_SIZE)) * math.sqrt(last - first)
        start, end = round(first, _DIGITS), round(last, _DIGITS)
        level = min(max(level, start), end)
        value = whole * 0.0
        key = depth = 0
        while start < level < end:
            middle = round(0.5 * (end + start), _DIGITS)
            left = (middle - start) / (end - start) * whole
            spread = math.sqrt((middle - start) * (end - middle) / (end - start))
            left = left + spread * self._normal(self._branch(key, depth))
            if level >= middle:
                value, whole, start, key = value + left, whole - left, middle, 2 * key + 1
            else:
                whole, end, key = left, middle, 2 * key
            depth += 1
        return value + whole if level == end else value

    def _branch(self, key: int, depth: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self._seed, spawn_key=(key, depth), pool_size=_POOL_SIZE)

    def _normal(self, seeds: np.random.SeedSequence) -> Tensor:
        return make_generator(self._source, int(seeds.generate_state(1)[0])).randn(self._shape)
