"""Picture files: their infotexts, uploaded pictures to start from, and sheets of several pictures."""

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from pastelbot.errors import LimitError, RequestError
from pastelbot.formats.programs.table import chunks_in, translated, translated_text
from pastelbot.formats.texts.hidden import hidden_text
from pastelbot.formats.texts.infotext_cap import MAX_INFOTEXT, capped, capped_text, read_capped
from pastelbot.formats.texts.picture_texts import DAMAGED, PLACES, WEBUI_PLACES, orientation_of, texts_of

_QUARTER_TURNS = (5, 6, 7, 8)
_STEPS = re.compile(r"\bSteps: *+\d")
_SETTINGS = re.compile(r"\bSteps: *+\d++,[^\n]*?\b(?:Sampler|Seed|CFG scale): ")  # in a text that is for something else
_OTHER_FILES = (
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"8BPS", "a file of Photoshop"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "an archive"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"{\\rtf", "a document of a word processor"),
    (b"<svg", "a drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)
_HEIC = (b"heic", b"heix", b"mif1", b"msf1", b"hevc")
_MOST_LOOKED_AT = 2**18  # bytes of a file of which it is not known that it is text
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe \r\n\t"  # marks of encodings, and empty lines
_TEXT_SUFFIXES = (".txt", ".md", ".json", "")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_TEXTS = ("a web page", "empty")  # of the other forms, what may hold an infotext or nothing

MAX_FILE = 10 * 2**20  # bytes of a picture to start from: what Discord takes as an attachment
_MAX_PIXELS = 25_000_000
_MAX_READ = 80_000_000  # pixels of a picture of which only the infotext is read
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # Pillow knows formats that run programs
_WITH_TEXTS = (*_FORMATS, "AVIF")  # of which only the infotext is read
_DECODED = 5_000_000  # pixels that may be decoded for what is behind them
START = "The picture to start from"
_HUGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def read_infotext(source: Path | bytes) -> str:
    """Return the infotext of a PNG, JPEG or WebP file or its content, or of a text file.

    Raises RequestError where there is none, and LimitError where it is longer than 64 Ki characters, before anything
    reads what it says.
    """
    name = str(source) if isinstance(source, Path) else "The picture"
    what = f"The infotext of {name}"
    try:
        if isinstance(source, Path) and source.suffix.lower() in _TEXT_SUFFIXES and _may_be_text(source):
            text = read_capped(source, what=what)
            return translated_text(text, name) or text
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=_WITH_TEXTS) as image:
            width, height = image.size
            if width * height > _MAX_READ:
                raise LimitError(f"{name} is {width}x{height}; the cap is {_MAX_READ:,} pixels in all.")
            found = _infotext_of(image, name)
    except _HUGE as error:
        raise LimitError(f"{name} claims to be huge; the cap is {_MAX_READ:,} pixels in all.") from error
    except UnidentifiedImageError as error:
        if (form := _other_form(source)) is not None:
            raise RequestError(f"{name} is {form}: send a PNG, JPEG or WebP file, or paste the infotext.") from error
        if meant := _text_in(source if isinstance(source, bytes) else _beginning(source), name):
            return meant
        raise RequestError(f"{name} is not a readable picture, nor a text with an infotext.") from error
    except OSError as error:
        raise RequestError(f"{name} cannot be read: {error}.") from error
    except DAMAGED as error:
        raise RequestError(f"{name} is damaged: what it says of itself cannot be read.") from error
    if not found.strip():
        raise RequestError(f"{name} has no infotext: it was removed or never written.")
    return capped(found, what=what)


def _other_form(source: Path | bytes) -> str | None:
    """Return what a file is that is neither a picture nor a text that can be read; None where it is not known."""
    head = source[:32] if isinstance(source, bytes) else _head(source)
    if not head:
        return "empty"
    if head[4:8] == b"ftyp":
        return "a HEIC picture" if head[8:12] in _HEIC else "a video"
    return next((form for start, form in _OTHER_FILES if head.lower().startswith(start.lower())), None)


def _may_be_text(path: Path) -> bool:
    """Return whether a file with the name of a text begins as one, and not as a picture or a document."""
    return not _head(path).startswith(_PICTURES) and _other_form(path) in (None, *_TEXTS)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)


def _beginning(path: Path) -> bytes:
    """Return the content of a text file, no more of it than is needed to see that it is too long."""
    with path.open("rb") as file:
        return file.read(4 * MAX_INFOTEXT + 1)


def _text_in(content: bytes, name: str) -> str | None:
    """Return the infotext that a text file's content is, or means; None where it does not begin as one does."""
    start = content[:_MOST_LOOKED_AT].replace(b"\0", b"")
    is_infotext = b"Steps:" in start
    if not is_infotext and not start.lstrip(_BEFORE_TEXT).startswith(b"{"):
        return None
    text = capped_text(content, what=f"The infotext of {name}")
    return translated_text(text, name) or (text if is_infotext else None)


def _infotext_of(image: Image.Image, name: str) -> str:
    """Return a picture's infotext, that into which another program's settings translate, or that of its hidden text.

    Where there is none, what stands at the webui's own places is returned, or nothing.
    """
    texts = texts_of(image)
    placed = {place: texts[place] for place in PLACES if place in texts}
    infotexts = {place: text for place, text in placed.items() if _STEPS.search(text)}
    for place in WEBUI_PLACES:
        if place in infotexts:
            return infotexts[place]
    try:
        other = translated(texts, image.size, name)
    except RequestError:
        if not infotexts:
            raise
        other = None
    if other is not None or infotexts:
        return other or next(iter(infotexts.values()))
    if (elsewhere := next((text for text in texts.values() if _SETTINGS.search(text)), None)) is not None:
        return elsewhere
    hidden = hidden_text(image)
    if hidden.lstrip().startswith("{"):
        hidden = translated(chunks_in(hidden), image.size, name) or ""
    return hidden or next(iter(placed.values()), "")


def size_of(content: bytes, *, what: str = START) -> tuple[int, int]:
    """Return the (width, height) of an uploaded picture, upright; raises RequestError.

    Only the file's head is read, so this is quick whatever the size. `what` is the picture's name in errors.
    """
    if len(content) > MAX_FILE:
        raise LimitError(f"{what} has {len(content):,} bytes; the cap is {MAX_FILE:,}.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > _MAX_PIXELS:
                raise LimitError(f"{what} is {width}x{height}; the cap is {_MAX_PIXELS:,} pixels in all.")
            turned = orientation_of(image) in _QUARTER_TURNS
    except _HUGE as error:
        raise LimitError(f"{what} claims to be huge; the cap is {_MAX_PIXELS:,} pixels in all.") from error
    except DAMAGED as error:
        raise RequestError(f"{what} cannot be read: send a PNG, JPEG or WebP file.") from error
    return (height, width) if turned else (width, height)


def open_flat(content: bytes, *, what: str = START) -> Image.Image:
    """Return an uploaded picture in RGB, upright, transparency on white; raises RequestError."""
    size_of(content, what=what)
    return flattened(content, what=what)


def open_upright(content: bytes, *, what: str) -> Image.Image:
    """Return an uploaded picture in RGBA, upright; raises RequestError."""
    size_of(content, what=what)
    return _upright(content, what)


def flattened(content: bytes, *, what: str) -> Image.Image:
    """Do as `open_flat` without its caps: for pictures of our own, and for those whose size was checked before."""
    upright = _upright(content, what)
    flat = Image.new("RGBA", upright.size, "white")
    flat.alpha_composite(upright)
    return flat.convert("RGB")


def _upright(content: bytes, what: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            return (ImageOps.exif_transpose(image) if orientation_of(image) != 1 else image).convert("RGBA")
    except _HUGE as error:
        raise LimitError(f"{what} claims to be huge: more pixels than can be read.") from error
    except UnidentifiedImageError as error:
        raise RequestError(f"{what} cannot be read: send a PNG, JPEG or WebP file.") from error
    except DAMAGED as error:
        raise RequestError(f"{what} is damaged: send it again.") from error


def suffix_of(content: bytes) -> str:
    """Return how a picture file's name should end."""
    starts = {b"\x89PNG": "png", b"\xff\xd8": "jpg", b"RIFF": "webp", b"GIF8": "gif", b"BM": "bmp"}
    return next((suffix for start, suffix in starts.items() if content.startswith(start)), "bin")


def make_sheet(pngs: Sequence[bytes]) -> bytes:
    """Return one PNG with all pictures, row by row in nearly a square; they are all of one size."""
    images = [Image.open(io.BytesIO(png)) for png in pngs]
    columns = math.ceil(math.sqrt(len(images)))
    width, height = images[0].size
    sheet = Image.new("RGB", (columns * width, math.ceil(len(images) / columns) * height), "white")
    for place, image in enumerate(images):
        sheet.paste(image, (place % columns * width, place // columns * height))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
