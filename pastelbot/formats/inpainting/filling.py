"""What a masked part is filled with before it is painted: the colours around it, more and more blurred inwards."""

from PIL import Image, ImageFilter, ImageOps

_LAYERS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))  # radius of the blur, and how often it is laid over


def filled(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the picture (RGB), its white parts of the mask (L) filled with what is around them."""
    kept = _kept(image, mask)
    result = Image.new("RGBA", image.size)
    for radius, times in _LAYERS:
        layer = kept.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            result.alpha_composite(layer)
    return result.convert("RGB")


def overlay_of(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the picture (RGBA) as transparent as the mask is white."""
    return _kept(image, mask).convert("RGBA")


def _kept(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Return what is not masked of a picture, its colours multiplied with its opacity."""
    whole = image.convert("RGBA").convert("RGBa")
    kept = Image.new(whole.mode, whole.size)
    kept.paste(whole, mask=ImageOps.invert(mask))
    return kept
