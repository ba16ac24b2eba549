"""An infotext, and pictures that carry one."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

INFOTEXT = (
    "1girl, ((red hair))\nNegative prompt: lowres\n"
    "Steps: 12, Sampler: Euler a, Schedule type: Automatic, CFG scale: 6, Seed: 77, Size: 128x192, "
    "Model hash: 7edc8e08, Model: pastelmix-fp32, Clip skip: 2, ENSD: 31337"
)


def png_with(infotext):
    """Return a PNG file with an infotext, or with none."""
    info = PngInfo()
    if infotext is not None:
        info.add_text("parameters", infotext)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def exif_pictures(infotext):
    """Yield a WebP and a JPEG file with an infotext as the webui writes it."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + infotext.encode("utf-16-be")
    for form in ("WEBP", "JPEG"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, form, exif=exif)
        yield file.getvalue()
