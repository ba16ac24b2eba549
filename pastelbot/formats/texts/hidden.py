"""Text hidden in the lowest bits of a picture's pixels ("stealth pnginfo"), which outlives the removal of metadata."""

import zlib

from PIL import Image

from pastelbot.formats.texts.infotext_cap import MAX_INFOTEXT

_ALPHA = {b"stealth_pnginfo": False, b"stealth_pngcomp": True}
_COLOURS = {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}
_SIGNATURE = 15  # bytes
_MOST_PIXELS = 5_000_000  # that are decoded for it
_MOST_BYTES = 4 * MAX_INFOTEXT
_LOWEST_BIT = bytes(48 + value % 2 for value in range(256))


def hidden_text(image: Image.Image) -> str:
    """Return the hidden text of a PNG or lossless WebP, or nothing; raises OSError and ValueError if it is damaged."""
    if image.mode not in ("RGBA", "RGB") or image.width * image.height > _MOST_PIXELS:
        return ""
    if image.format not in ("PNG", "WEBP"):
        return ""
    by_columns = image.transpose(Image.Transpose.TRANSPOSE)
    if image.mode == "RGBA" and (text := _hidden(by_columns.getchannel("A").tobytes(), _ALPHA)):
        return text
    return _hidden(by_columns.convert("RGB").tobytes(), _COLOURS)


def _hidden(values: bytes, signatures: dict[bytes, bool]) -> str:
    head = _packed(values, 0, 8 * _SIGNATURE + 32)
    compressed = signatures.get(head[:_SIGNATURE])
    if compressed is None:
        return ""
    length = int.from_bytes(head[_SIGNATURE:], "big")
    if length > 8 * _MOST_BYTES or length > 8 * len(values):
        return ""
    content = _packed(values, 8 * _SIGNATURE + 32, length)
    try:
        if compressed:
            content = zlib.decompressobj(wbits=31).decompress(content, _MOST_BYTES)
        return content.decode("utf-8")
    except (zlib.error, UnicodeDecodeError):
        return ""


def _packed(values: bytes, start: int, count: int) -> bytes:
    """Return so many lowest bits as bytes."""
    bits = values[start : start + count // 8 * 8].translate(_LOWEST_BIT)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if len(bits) >= 8 and len(bits) % 8 == 0 else b""
