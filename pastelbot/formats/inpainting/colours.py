"""Colour correction: a painted picture gets the colours of the one that it was painted from.

The histograms of L, a and b are matched (CIE 1976), and the luminosity of the painted picture is put back (W3C
Compositing and Blending, "luminosity"). L, a and b are whole levels, computed in whole numbers as OpenCV does for the
webui: 8 bits a channel.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.uint8]
_Whole = NDArray[np.int64]

# IEC 61966-2-1, and the D65 white that X and Z are divided by.
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_FROM_XYZ = np.array(
    [[3.240479, -1.53715, -0.498535], [-0.969256, 1.875991, 0.041556], [0.055648, -0.204043, 1.057311]]
)
_WHITE = np.array([0.950456, 1.0, 1.088754])
_LUMINOSITY = np.array([0.299, 0.587, 0.114])
_LINEAR, _WEIGHT, _ROOT = 8, 1 << 12, 1 << 15  # what the whole numbers are multiples of
_FINE, _SHADES = 1 << 14, 1 << 12  # on the way back
_DARK = 20  # the last L whose root is a straight line


def corrected(image: Image.Image, target: Image.Image) -> Image.Image:
    """Return a picture (RGB) with the colours of another one and its own luminosity."""
    levels = np.asarray(image)
    matched = _matched(_to_lab(levels), _to_lab(np.asarray(target)))
    return Image.fromarray(_with_luminosity(_to_rgb(matched), levels), "RGB")


def _matched(levels: Levels, target: Levels) -> Levels:
    """Return levels whose histograms, channel by channel, are those of the target."""
    result = np.empty_like(levels)
    for channel in range(levels.shape[2]):
        own, theirs = (np.bincount(each[..., channel].ravel(), minlength=256) for each in (levels, target))
        there = np.flatnonzero(theirs)
        shares = np.cumsum(own) / own.sum()
        wanted = np.cumsum(theirs[there]) / theirs.sum()
        result[..., channel] = np.interp(shares, wanted, there).astype(np.uint8)[levels[..., channel]]
    return result


def _with_luminosity(colours: Levels, source: Levels) -> Levels:
    """Return the colours with the luminosity of another picture."""
    moved = colours / 255 + ((source / 255 - colours / 255) @ _LUMINOSITY)[..., None]
    grey = (moved @ _LUMINOSITY)[..., None]
    least, most = moved.min(axis=2, keepdims=True), moved.max(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(least < 0, grey + (moved - grey) * grey / (grey - least), moved)
        moved = np.where(most > 1, grey + (moved - grey) * (1 - grey) / (most - grey), moved)
    levels: Levels = (moved.clip(0, 1) * 255).astype(np.uint8)
    return levels


def _to_lab(levels: Levels) -> Levels:
    """Return L (0 to 255), a and b (with 128 added) of sRGB levels."""
    weights = np.rint(_TO_XYZ / _WHITE[:, None] * _WEIGHT).astype(np.int64)
    roots = _roots()[_divided(_linear()[levels] @ weights.T, _WEIGHT)]
    x, y, z = np.moveaxis(roots, -1, 0)
    lightness = _divided((116 * 255 + 50) // 100 * y - (16 * 255 * _ROOT + 50) // 100, _ROOT)
    a = _divided(500 * (x - y) + 128 * _ROOT, _ROOT)
    b = _divided(200 * (y - z) + 128 * _ROOT, _ROOT)
    return np.stack([lightness, a, b], axis=-1).clip(0, 255).astype(np.uint8)


def _to_rgb(lab: Levels) -> Levels:
    """Return the sRGB levels of L (0 to 255), a and b (with 128 added)."""
    lightness, a, b = np.moveaxis(lab.astype(np.int64), -1, 0)
    root = np.where(
        lightness <= _DARK,
        np.rint(_FINE * (16 / 116 + lightness * 5 / 1479)),
        np.rint(_FINE * (lightness * 100 / 255 + 16) / 116),
    ).astype(np.int64)
    bright = _FINE * ((lightness * 100 / 255 + 16) / 116) ** 3
    y = np.rint(np.where(lightness <= _DARK, lightness * _FINE * 180 / 414613, bright))
    x = _cube(root + ((5 * a * 53687 + 128) >> 13) - 128 * _FINE // 500)
    z = _cube(root - (((b * 41943 + 16) >> 9) - 128 * _FINE // 200 + 1))
    weights = np.rint(_FROM_XYZ * _WHITE * _WEIGHT).astype(np.int64)
    linear = _divided(np.stack([x, y.astype(np.int64), z], axis=-1) @ weights.T, _WEIGHT * _FINE // _SHADES)
    levels: Levels = _gamma()[linear.clip(0, _SHADES - 1)]
    return levels


def _cube(root: _Whole) -> _Whole:
    """Return what L*a*b*'s root was taken of; whole numbers are cut off on the way."""
    low = np.trunc(root * 108 / 841).astype(np.int64) - _FINE * 16 // 116 * 108 // 841
    return np.where(root <= _FINE * 6 // 29, low, root * root // _FINE * root // _FINE)


def _divided(numbers: _Whole, divisor: int) -> _Whole:
    return (numbers + divisor // 2) // divisor


@cache
def _linear() -> _Whole:
    """Return the linear light of each level, in steps of a level's eighth."""
    share = np.arange(256) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    steps: _Whole = np.rint(255 * _LINEAR * linear).astype(np.int64)
    return steps


@cache
def _roots() -> _Whole:
    """Return the root that L*a*b* takes of each linear light."""
    light = np.arange(256 * 3 // 2 * _LINEAR) / (255 * _LINEAR)
    root = np.where(light < 216 / 24389, light * 841 / 108 + 16 / 116, np.cbrt(light))
    roots: _Whole = np.rint(_ROOT * root).astype(np.int64)
    return roots


@cache
def _gamma() -> Levels:
    """Return the level of each shade of linear light."""
    light = np.arange(_SHADES) / _SHADES
    gamma = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: Levels = np.rint(gamma * 255).astype(np.uint8)
    return levels
