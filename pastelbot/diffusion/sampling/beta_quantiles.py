"""Quantiles of beta distributions: the inverse of the regularised incomplete beta function.

SciPy has it as `betaincinv`, but is 143 MB for this one function.
"""

import math

_TINY = 1e-300
_EPSILON = 1e-16
_MOST_TERMS = 500
_MOST_HALVINGS = 1100  # down to the smallest number there is


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the x between 0 and 1 below which a beta distribution has `share`; to about 14 digits."""
    if share <= 0.0 or share >= 1.0:
        return min(max(share, 0.0), 1.0)
    half = _distribution(0.5, a, b)
    return _lower_quantile(share, a, b) if share <= half else 1.0 - _lower_quantile(1.0 - share, b, a)


def _lower_quantile(share: float, a: float, b: float) -> float:
    """Return a quantile of at most a half, by halving what it lies in."""
    low, high = 0.0, 0.5
    for _ in range(_MOST_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _distribution(middle, a, b) < share else (low, middle)
    return high


def _distribution(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function of x, by its continued fraction (DLMF 8.17.22)."""
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below
        return 1.0 - _distribution(1.0 - x, b, a)
    logarithm = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(logarithm) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction 1 + d1/(1 + d2/(1 + ...)) by Lentz's method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for term in range(1, _MOST_TERMS):
        half = term // 2
        if term % 2:
            factor = -(a + half) * (a + b + half) * x / ((a + term - 1) * (a + term))
        else:
            factor = half * (b - half) * x / ((a + term - 1) * (a + term))
        upper = 1.0 + factor / upper or _TINY
        lower = 1.0 / (1.0 + factor * lower or _TINY)
        value *= upper * lower
        if abs(upper * lower - 1.0) < _EPSILON:
            break
    return value
