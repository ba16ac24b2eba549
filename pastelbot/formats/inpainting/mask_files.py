"""Masks in files: each is inside the file of the picture that it belongs to, and so kept and removed with that."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from pastelbot.errors import LimitError
from pastelbot.formats import pictures
from pastelbot.records import InitImage, Mask

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OURS = b"pbMk"  # private and ancillary: other programs pass over it
_AROUND = 12  # bytes of a chunk besides its data
_BYTES = 3  # of a mask for each pixel that is painted
_HEADERS = 16 * 1024


def mask_content(init: InitImage, mask: Mask) -> bytes:
    """Return a mask's file: the one that was handed over, or the one inside the picture's; empty is none."""
    if mask.content or not init.content.startswith(_SIGNATURE):
        return mask.content
    return next((data for name, data in _chunks(init.content) if name == _OURS), b"")


def with_mask_inside(init: InitImage, painted: int) -> InitImage:
    """Return a picture to keep with its mask inside of its file.

    Raises LimitError where the mask takes more bytes than one of so many `painted` pixels needs.
    """
    mask = init.mask
    if mask is None:
        return init
    levels = pictures.open_upright(mask_content(init, mask), what="The mask")
    content = _png(levels.convert("L" if levels.getextrema()[-1] == (255, 255) else "LA"))
    if len(content) > _BYTES * painted + _HEADERS:
        raise LimitError(f"The mask has {len(content):,} bytes, too many for its picture: make it of plain areas.")
    picture = _png(pictures.open_flat(init.content))
    end = len(picture) - _AROUND
    kept = picture[:end] + _chunk(_OURS, content) + picture[end:]
    return replace(init, content=kept, mask=replace(mask, content=b""))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and data of a PNG file's chunks, as far as it goes."""
    place = len(_SIGNATURE)
    while place + _AROUND <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        place += length + _AROUND


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
