"""Pictures to start from, brought to the size that is painted. Four modes, as in the webui.

"Just resize" distorts; "Crop and resize" covers the target and cuts what stands out; "Resize and fill" fits in and
repeats the edges; the latent mode leaves the picture alone and resizes its latents. All filters are Pillow's.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace

from PIL import Image

from pastelbot.choices import LATENT_RESIZE
from pastelbot.formats import pictures
from pastelbot.formats.resizing import Size, resized
from pastelbot.records import InitImage

Resize = Callable[[Image.Image, Size], Image.Image]

_HEADERS = 16 * 1024  # bytes that a file may have besides its pixels


def fitted(init: InitImage, size: Size, resize: Resize = resized) -> Image.Image:
    """Return the picture in RGB as it is encoded for one of `size` (width, height); raises RequestError."""
    image = pictures.open_flat(init.content)
    return image if init.resize_mode == LATENT_RESIZE else brought_to(image, size, init.resize_mode, resize)


def brought_to(image: Image.Image, size: Size, mode: str, resize: Resize = resized) -> Image.Image:
    """Return a picture (RGB or L) at a size, in one of the modes; the latent one repeats edges, as in the webui.

    `resize` distorts to a size.
    """
    return _MODES.get(mode, _resize_and_fill)(image, size, resize)


def prepared(init: InitImage, size: Size) -> InitImage:
    """Return the picture to keep for painting at `size`: the same pixels are encoded, of a smaller file.

    One with more pixels than are painted is brought to the size now, by the same filter that the engine has. One with
    fewer stays as it is, because enlarging it would only make the file larger. A file with more bytes than its pixels
    need (a film, or something behind the picture) is written anew. Raises RequestError where it cannot be read.
    """
    width, height = own = pictures.size_of(init.content)
    whole = init.resize_mode == LATENT_RESIZE or (init.mask is not None and init.mask.only_masked)
    painted = own if whole else size
    most = min(width * height, painted[0] * painted[1])
    content = init.content
    if width * height > most:
        content = _png(fitted(init, size))
    elif len(content) > 3 * most + _HEADERS:
        content = _png(pictures.open_flat(content))
    width, height = pictures.size_of(content)
    return replace(init, content=content, name="", width=width, height=height)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _just_resize(image: Image.Image, size: Size, resize: Resize) -> Image.Image:
    """Stretch or squeeze the picture to the size."""
    return resize(image, size)


def _crop_and_resize(image: Image.Image, size: Size, resize: Resize) -> Image.Image:
    """Let the picture cover the size, its middle in the middle."""
    return _pasted(resize(image, _scaled(image, size, by_width=_is_flatter(size, image.size))), size)


def _resize_and_fill(image: Image.Image, size: Size, resize: Resize) -> Image.Image:
    """Let the picture fit into the size, its middle in the middle, and stretch its edges over what is missing."""
    inner = resize(image, _scaled(image, size, by_width=_is_flatter(image.size, size)))
    result = _pasted(inner, size)
    (width, height), (inner_width, inner_height) = size, inner.size
    if _is_flatter(image.size, size):
        missing = height // 2 - inner_height // 2
        edges = [((0, 0, width, 0), (0, 0)), ((0, inner_height, width, inner_height), (0, missing + inner_height))]
        band = width, missing
    else:
        missing = width // 2 - inner_width // 2
        edges = [((0, 0, 0, height), (0, 0)), ((inner_width, 0, inner_width, height), (missing + inner_width, 0))]
        band = missing, height
    for box, place in edges if missing > 0 else ():
        result.paste(inner.resize(band, box=box), place)
    return result


def _is_flatter(size: Size, other: Size) -> bool:
    """Return whether a (width, height) is wider for its height than another."""
    return size[0] / size[1] > other[0] / other[1]


def _scaled(image: Image.Image, size: Size, *, by_width: bool) -> Size:
    """Return the size with the picture's own proportions that is as wide, or as high, as `size`; rounded down."""
    width, height = size
    if by_width:
        return width, max(1, image.height * width // image.width)
    return max(1, image.width * height // image.height), height


def _pasted(image: Image.Image, size: Size) -> Image.Image:
    canvas = Image.new(image.mode, size)
    canvas.paste(image, (size[0] // 2 - image.width // 2, size[1] // 2 - image.height // 2))
    return canvas


_MODES: Mapping[str, Callable[[Image.Image, Size, Resize], Image.Image]] = {
    "Just resize": _just_resize,
    "Crop and resize": _crop_and_resize,
    "Resize and fill": _resize_and_fill,
}
