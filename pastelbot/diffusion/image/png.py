"""PNG files that carry their infotext in a `parameters` chunk, as the webui writes them."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.diffusion.networks.vae import Pixels

_PARAMETERS = "parameters"


def encode_png(pixels: Pixels, infotext: str) -> bytes:
    """Return PNG bytes of uint8 pixels (height, width, 3); the same input gives the same bytes.

    Text of Latin-1 letters goes into a tEXt chunk, other text into an iTXt chunk.
    """
    info = PngInfo()
    info.add_text(_PARAMETERS, infotext)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()
