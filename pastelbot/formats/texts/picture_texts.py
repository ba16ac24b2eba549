"""All texts that a picture file holds beside its pixels: PNG chunks, EXIF, XMP, comments."""

import html
import re
import struct
from collections.abc import Iterator, Mapping

from PIL import Image
from PIL.PngImagePlugin import iTXt

from pastelbot.formats.texts.decoding import decode_comment, decode_narrow

_USER_COMMENT = "UserComment"
# The names of the texts in which an infotext may be: where the webui writes it, and where others do.
WEBUI_PLACES = ("parameters", "Parameters", _USER_COMMENT)
PLACES = (
    *WEBUI_PLACES,
    "ImageDescription",
    "XPComment",
    "comment",
    "Comment",
    "Description",
    "DocumentName",
    "XPTitle",
    "XPSubject",
    "XPKeywords",
)

# What Pillow raises for a damaged file.
DAMAGED = (OSError, ValueError, SyntaxError, struct.error)

_EXIF = 0x8769
_ORIENTATION = 0x0112
# Where programs write what they did, in the order in which it is looked at.
_TAGS = {
    0x9286: _USER_COMMENT,
    0x010E: "ImageDescription",
    0x9C9C: "XPComment",
    0x010D: "DocumentName",
    0x9C9B: "XPTitle",
    0x9C9F: "XPSubject",
    0x9C9E: "XPKeywords",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9C9D: "XPAuthor",
    0x0131: "Software",
    0x010F: "Make",
    0x0110: "Model",
}
_PROFILE = "Raw profile type APP1"
_DECODED = 5_000_000  # pixels that may be decoded for what is behind them
_XMP_COMMENT = re.compile(r"<exif:UserComment>\s*+(?:<rdf:Alt>\s*+<rdf:li[^>]*+>)?([^<]*+)")
_XMP_DESCRIPTION = re.compile(r"<dc:description>\s*+<rdf:Alt>\s*+<rdf:li[^>]*+>([^<]*+)")
_XMP_TITLE = re.compile(r"<dc:title>\s*+<rdf:Alt>\s*+<rdf:li[^>]*+>([^<]*+)")
_XMP_ATTRIBUTE = re.compile(r'\b\w{1,20}:(?:UserComment|parameters)="([^"]*+)"')


def orientation_of(image: Image.Image) -> int:
    """Return how a picture is to be turned, EXIF's number; 1, which is not at all, where its EXIF is damaged."""
    try:
        number = _exif_of(image).get(_ORIENTATION)
    except DAMAGED:
        return 1
    return number if isinstance(number, int) else 1


def _exif_of(image: Image.Image) -> Image.Exif:
    """Return a picture's EXIF, of a large PNG only what is before its pixels: Pillow decodes them to look behind."""
    behind = image.format == "PNG" and "exif" not in image.info
    exif = Image.Exif() if behind and image.width * image.height > _DECODED else image.getexif()
    profile = image.info.get(_PROFILE)
    if not exif and isinstance(profile, str):  # ImageMagick's way: three lines of a head, then the bytes as digits
        exif.load(bytes.fromhex("".join(profile.split("\n")[3:])))
    return exif


def texts_of(image: Image.Image) -> Mapping[str, str]:
    """Return the texts of a picture by the names of their chunks and tags.

    Raises OSError, and another of `DAMAGED` where its EXIF cannot be read and there is no text elsewhere.
    """
    damage: list[Exception] = []
    texts: dict[str, str] = {}
    for name, text in _texts(image, damage):
        if text.strip("\0 \n") and name not in texts:
            texts[name] = text
    if damage and not texts:
        raise damage[0]
    return texts


def _texts(image: Image.Image, damage: list[Exception]) -> Iterator[tuple[str, str]]:
    in_exif: list[tuple[str, str]] = []
    try:  # of a PNG this reads to its end, so that `info` has the chunks behind the pixels
        in_exif.extend(_exif_texts(_exif_of(image)))
    except OSError:
        raise
    except DAMAGED as error:
        damage.append(error)
    for name, value in image.info.items():
        if isinstance(value, str):
            yield _place(str(name)), value if isinstance(value, iTXt) else _latin(value)
    yield from in_exif
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        yield "comment", decode_comment(comment)
    xmp = image.info.get("xmp")
    if isinstance(xmp, bytes):
        yield from _xmp_texts(xmp.decode("utf-8", errors="replace"))


def _place(name: str) -> str:
    """Return a chunk's name, that of the webui's own one in the letters in which it is looked for."""
    return "Parameters" if name == "PARAMETERS" else name


def _exif_texts(exif: Image.Exif) -> Iterator[tuple[str, str]]:
    inner = exif.get_ifd(_EXIF)
    for tag, name in _TAGS.items():
        for value in (inner.get(tag), exif.get(tag)):
            if (content := _bytes(value)) is not None:
                yield name, decode_comment(content)


def _bytes(value: object) -> bytes | None:
    """Return a tag's content whatever its type; text was read as Latin-1 by Pillow, which keeps every byte."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1", errors="replace")
    if isinstance(value, tuple) and all(isinstance(part, int) and 0 <= part < 2**16 for part in value):
        wide = 2 if any(part > 0xFF for part in value) else 1
        return b"".join(part.to_bytes(wide, "big") for part in value)
    return None


def _latin(text: str) -> str:
    """Return a tEXt chunk's text: the standard's encoding is Latin-1, but many programs write others there."""
    try:
        content = text.encode("latin-1")
    except UnicodeError:
        return text
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        narrow = decode_narrow(content)
    return text if "\ufffd" in narrow else narrow


def _xmp_texts(xmp: str) -> Iterator[tuple[str, str]]:
    found = _XMP_COMMENT.search(xmp) or _XMP_ATTRIBUTE.search(xmp)
    if found is not None:
        yield _USER_COMMENT, html.unescape(found[1])
    if (described := _XMP_DESCRIPTION.search(xmp)) is not None:
        yield "Description", html.unescape(described[1])
    if (title := _XMP_TITLE.search(xmp)) is not None:
        yield "Title", html.unescape(title[1])
