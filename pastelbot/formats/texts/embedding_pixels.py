"""Embeddings that the webui hides in the pixels of its cards, which outlive the removal of a picture's text.

Left and right of the picture is a block, each with a column of black before the picture. The lowest four bits of the
blocks' values are the halves of bytes, the lower ones on the left, mixed with the numbers of a generator.
"""

import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LARGEST = 16_000_000  # pixels
_LARGEST_BLOCK = 2**22  # bytes; 75 vectors of 768 numbers need less than a quarter of it
_LONGEST = 16 * 2**20  # bytes of the text
_HALF = 0x0F
_FORMATS = ("PNG", "WEBP")
_Bytes = NDArray[np.uint8]


def hidden_embedding(path: Path) -> bytes | None:
    """Return the JSON that is hidden in a picture; None where there is none, or the file is no picture."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > _LARGEST:
                return None
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    blocks = _blocks(pixels)
    return None if blocks is None else _unpacked(*blocks)


def _blocks(pixels: _Bytes) -> tuple[_Bytes, _Bytes] | None:
    """Return the halves of bytes that are left and right of the picture; None where there are no such blocks."""
    lit = np.all(pixels > 0, axis=2)
    columns, rows = np.flatnonzero(np.any(lit, axis=0)), np.flatnonzero(np.any(lit, axis=1))
    if not columns.size:
        return None
    halves: _Bytes = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] & np.uint8(_HALF)
    black = np.flatnonzero(~halves.any(axis=(0, 2)))
    if len(black) < 2:
        return None
    left, right = halves[:, : black[0]], halves[:, black[-1] + 1 :]
    return (left.ravel(), right.ravel()) if left.shape == right.shape and 0 < left.size < _LARGEST_BLOCK else None


def _unpacked(left: _Bytes, right: _Bytes) -> bytes | None:
    """Return the text in two blocks; None where they hold none."""
    if not _packed(left[:2], right[:2]).startswith(b"\x78"):
        return None
    try:
        return zlib.decompressobj().decompress(_packed(left, right), _LONGEST)
    except zlib.error:
        return None


def _packed(left: _Bytes, right: _Bytes) -> bytes:
    mask = np.fromiter(islice(_mask(), len(left)), dtype=np.uint8, count=len(left))
    return ((right ^ mask) << 4 | (left ^ mask)).tobytes()


def _mask() -> Iterator[int]:
    """Yield the halves of bytes that the webui mixes in: a linear congruential generator of Numerical Recipes."""
    number = 0
    while True:
        number = (1664525 * number + 1013904223) % 2**32
        yield number % 255 & _HALF
