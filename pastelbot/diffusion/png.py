"""PNG files that carry their infotext in a `parameters` chunk, as the webui writes them."""

import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from pastelbot.diffusion.vae import Pixels

PARAMETERS = "parameters"


def encode_png(pixels: Pixels, infotext: str) -> bytes:
    """Return PNG bytes of uint8 pixels (height, width, 3); the same input gives the same bytes.

    Text of Latin-1 letters goes into a tEXt chunk, other text into an iTXt chunk.
    """
    info = PngInfo()
    info.add_text(PARAMETERS, infotext)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def read_infotext(picture: bytes | Path) -> str | None:
    """Return the `parameters` text of a PNG, or None where there is none."""
    source = picture if isinstance(picture, Path) else io.BytesIO(picture)
    try:
        with Image.open(source) as image:
            text = image.info.get(PARAMETERS)
    except (UnidentifiedImageError, OSError):
        return None
    return text if isinstance(text, str) else None
