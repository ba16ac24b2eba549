"""What picture files say about themselves, and sheets of several pictures."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pastelbot.errors import RequestError

_EXIF = 0x8769
_USER_COMMENT = 0x9286
_TEXT_SUFFIXES = (".txt", ".md", "")


def read_infotext(path: Path) -> str:
    """Return the infotext of a PNG, JPEG or WebP file, or of a text file; raises RequestError where there is none."""
    try:
        if path.suffix.lower() in _TEXT_SUFFIXES:
            return path.read_text(encoding="utf-8")
        with Image.open(path) as image:
            found = image.info.get("parameters") or _user_comment(image)
    except UnidentifiedImageError as error:
        raise RequestError(f"{path} is no picture that can be read.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} cannot be read: {error}.") from error
    if not isinstance(found, str) or not found.strip():
        raise RequestError(f"{path} says nothing about how it was made: its infotext was removed or never written.")
    return found


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


def _user_comment(image: Image.Image) -> str | None:
    """Read EXIF's UserComment: eight bytes name the encoding, and the webui writes big-endian UTF-16."""
    comment = image.getexif().get_ifd(_EXIF).get(_USER_COMMENT)
    if isinstance(comment, str):
        return comment
    if not isinstance(comment, bytes):
        return None
    name, text = comment[:8], comment[8:]
    return text.decode("utf-16-be" if name.startswith(b"UNICODE") else "utf-8", errors="replace").strip("\0")
