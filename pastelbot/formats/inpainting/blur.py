"""Blur of masks: a Gaussian along one side, in whole levels, as OpenCV computes it for the webui."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ONE = 256  # the weights' sum: they are whole 256ths


def blurred(mask: Image.Image, x: float, y: float) -> Image.Image:
    """Return a mask (L) blurred by `x` pixels along its rows, then by `y` along its columns; 0 leaves it as it is."""
    levels = np.asarray(mask)
    levels = _blurred_rows(levels, x)
    return Image.fromarray(np.ascontiguousarray(_blurred_rows(levels.T, y).T), "L")


def _blurred_rows(levels: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Blur each row; the edge pixel's neighbours are mirrored on it."""
    if sigma <= 0:
        return levels
    weights = _weights(sigma)
    padded = np.pad(levels, ((0, 0), (len(weights) // 2,) * 2), mode="reflect").astype(np.int64)
    sums = np.zeros(levels.shape, np.int64)
    for at, weight in enumerate(weights):
        sums += weight * padded[:, at : at + levels.shape[1]]
    return ((sums + _ONE // 2) // _ONE).clip(0, 255).astype(np.uint8)


def _weights(sigma: float) -> list[int]:
    """Return the Gaussian's weights in whole 256ths; each one carries what the one before it was rounded by."""
    half = int(2.5 * sigma + 0.5)
    exact = [math.exp(-((at / sigma) ** 2) / 2) for at in range(-half, half + 1)]
    total, side, error = sum(exact), [], 0.0
    for value in exact[:half]:
        wanted = value / total * _ONE + error
        side.append(round(wanted))
        error = wanted - side[-1]
    return [*side, _ONE - 2 * sum(side), *reversed(side)]
