"""Contact sheets: a grid of pictures with labels beside its rows and above its columns."""

import io
import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

_LONGEST_SIDE = 6000  # pixels of a sheet; larger cells are made smaller
_GAP = 8
_INK, _PAPER = "black", "white"


def make_labelled_sheet(
    pngs: Sequence[bytes], columns: Sequence[str], rows: Sequence[str] = ("",), *, infotext: str = ""
) -> bytes:
    """Return one PNG with a picture for each column of each row, row by row, and what each of them is.

    Pictures of different sizes stand in the middle of equally large cells.
    """
    images = [Image.open(io.BytesIO(png)).convert("RGB") for png in pngs]
    width, height = _cell(images, len(columns), len(rows))
    images = [_within(image, width, height) for image in images]
    font = ImageFont.load_default(size=max(12, min(width, height) // 14))
    left = max((_size(_wrapped(label, font, width), font)[0] for label in rows), default=0)
    top = max(_size(_wrapped(label, font, width), font)[1] for label in columns)
    left, top = left and left + 2 * _GAP, top and top + 2 * _GAP
    sheet = Image.new("RGB", (left + len(columns) * (width + _GAP), top + len(rows) * (height + _GAP)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, label in enumerate(columns):
        _write(draw, (left + number * (width + _GAP) + width // 2, top // 2), label, font, width)
    for number, label in enumerate(rows):
        _write(draw, (left // 2, top + number * (height + _GAP) + height // 2), label, font, width)
    for place, image in enumerate(images):
        row, column = divmod(place, len(columns))
        x = left + column * (width + _GAP) + (width - image.width) // 2
        y = top + row * (height + _GAP) + (height - image.height) // 2
        sheet.paste(image, (x, y))
    return _png(sheet, infotext)


def _cell(images: Sequence[Image.Image], columns: int, rows: int) -> tuple[int, int]:
    """Return the size of a cell: the largest picture, or less where the sheet would be too large."""
    width, height = max(image.width for image in images), max(image.height for image in images)
    scale = min(1.0, _LONGEST_SIDE / (columns * width), _LONGEST_SIDE / (rows * height))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _within(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.width <= width and image.height <= height:
        return image
    image.thumbnail((width, height), Image.Resampling.LANCZOS)
    return image


def _wrapped(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Break a label into at most four lines that are no wider than a cell."""
    characters = max(4, int(width / max(1.0, font.getlength("n"))))
    lines = textwrap.wrap(label, characters, max_lines=4, placeholder="...")
    return "\n".join(lines)


def _size(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    if not text:
        return 0, 0
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    return int(box[2]) + 1, int(box[3]) + 1


def _write(
    draw: ImageDraw.ImageDraw,
    middle: tuple[int, int],
    label: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    width: int,
) -> None:
    text = _wrapped(label, font, width)
    draw.multiline_text(middle, text, fill=_INK, font=font, anchor="mm", align="center")


def _png(sheet: Image.Image, infotext: str) -> bytes:
    file, info = io.BytesIO(), PngInfo()
    if infotext:
        info.add_text("parameters", infotext)
    sheet.save(file, "PNG", pnginfo=info)
    return file.getvalue()
