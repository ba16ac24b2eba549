"""From a mask to what is encoded, what is painted, and what is laid over the result, as in the webui.

White is painted. A mask with transparency counts by its opacity instead. Where only the masked part is painted, it is
cut out with some padding, painted at the whole size, and put back.
"""

from dataclasses import dataclass

from PIL import Image, ImageOps

from pastelbot.choices import LATENT_RESIZE, RESIZE_MODES
from pastelbot.errors import RequestError
from pastelbot.formats import pictures
from pastelbot.formats.init_pictures import Resize, brought_to
from pastelbot.formats.inpainting.blur import blurred
from pastelbot.formats.inpainting.filling import filled, overlay_of
from pastelbot.formats.inpainting.mask_files import mask_content
from pastelbot.formats.resizing import Size, resized
from pastelbot.records import InitImage, Mask

Box = tuple[int, int, int, int]  # left, top, right, bottom
_CROP, _FILL = RESIZE_MODES[1:3]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inpainting:
    """A masked picture: `picture` (RGB) is encoded, `mask` (L) says where it is painted, both at the painted size.

    `overlay` (RGBA) is laid over the result, after this was put into the `region` that was cut out, if one was;
    `overlay_mask` is the mask that it was made with.
    """

    picture: Image.Image
    mask: Image.Image
    overlay: Image.Image
    overlay_mask: Image.Image
    region: Box | None = None

    def finished(self, painted: Image.Image, resize: Resize = resized) -> Image.Image:
        """Return the whole picture of what was painted."""
        whole = painted.convert("RGBA")
        if self.region is not None:
            left, top, right, bottom = self.region
            whole = Image.new("RGBA", self.overlay.size)
            whole.paste(brought_to(painted, (right - left, bottom - top), _CROP, resize), (left, top))
        whole.alpha_composite(self.overlay)
        return whole.convert("RGB")


def inpainting(init: InitImage, mask: Mask, size: Size, resize: Resize = resized) -> Inpainting | None:
    """Return what a masked picture is painted with at `size` (width, height).

    None where only what is masked is to be painted, and nothing is: then the webui paints the whole picture without the
    mask. Raises RequestError.
    """
    picture, soft = pictures.open_flat(init.content), _soft_mask(mask, mask_content(init, mask))
    if not mask.only_masked:
        return _whole(picture, soft, init, mask, size, resize)
    _check_same_size(picture.size, soft.size)
    region = _painted_region(soft, mask.padding, size)
    if region is None:
        return None
    cut = brought_to(soft.crop(region), size, _FILL)
    inner = brought_to(picture.crop(region), size, _FILL, resize)
    return Inpainting(
        picture=filled(inner, cut) if mask.is_filled else inner,
        mask=cut,
        overlay=overlay_of(picture, soft),
        overlay_mask=soft,
        region=region,
    )


def _whole(
    picture: Image.Image, soft: Image.Image, init: InitImage, mask: Mask, size: Size, resize: Resize
) -> Inpainting:
    if init.resize_mode == LATENT_RESIZE and picture.size != size:
        raise RequestError(
            f"The resize mode {LATENT_RESIZE!r} does not go with a mask unless the picture is {size[0]}x{size[1]}, "
            "as it is painted: choose another resize mode, or paint the masked part only."
        )
    fitted = brought_to(picture, size, init.resize_mode, resize)
    there = brought_to(soft, size, init.resize_mode)
    doubled = there.point([min(2 * level, 255) for level in range(256)])
    return Inpainting(
        picture=filled(fitted, there) if mask.is_filled else fitted,
        mask=there,
        overlay=overlay_of(fitted, doubled),
        overlay_mask=doubled,
    )


def _soft_mask(mask: Mask, content: bytes) -> Image.Image:
    """Return a mask's levels (L), inverted and blurred as it asks for."""
    levels = _open_mask(content, rounded=mask.rounded)
    return blurred(ImageOps.invert(levels) if mask.inverted else levels, mask.blur_x, mask.blur_y)


def _open_mask(content: bytes, *, rounded: bool = True) -> Image.Image:
    """Return an uploaded mask's levels (L), upright; `rounded` makes opacity all or nothing. Raises RequestError."""
    image = pictures.open_upright(content, what="The mask")
    if image.mode != "RGBA" or image.getextrema()[-1] == (255, 255):
        return image.convert("L")
    opacity = image.getchannel("A")
    return opacity.point([255 * (level > 128) for level in range(256)]) if rounded else opacity


def check_mask(init: InitImage, mask: Mask) -> None:
    """Raise a RequestError where a mask is no picture, or not as large as the one to start from.

    A kept picture may have been scaled down since, which matters only where the mask is to be cut out of it.
    """
    size = pictures.size_of(mask_content(init, mask), what="The mask")
    if mask.content or mask.only_masked:
        _check_same_size(pictures.size_of(init.content), size)


def _check_same_size(picture: Size, mask: Size) -> None:
    """Raise a RequestError where a mask does not lie on its picture."""
    if mask != picture:
        raise RequestError(
            f"The mask is {mask[0]}x{mask[1]}, the picture to start from {picture[0]}x{picture[1]}: make the mask as "
            "large as the picture."
        )


def _painted_region(mask: Image.Image, padding: int, size: Size) -> Box | None:
    """Return the part of a picture around what is masked, with the proportions of `size` as far as it has room."""
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, mask.width), min(bottom + padding, mask.height)
    proportion = size[0] / size[1]
    if (right - left) / (bottom - top) > proportion:
        top, bottom = _grown(top, bottom, (right - left) / proportion, mask.height)
    else:
        left, right = _grown(left, right, (bottom - top) * proportion, mask.width)
    return left, top, right, bottom


def _grown(start: int, end: int, length: float, limit: int) -> tuple[int, int]:
    """Return a span lengthened on both sides, moved so that it lies within 0 to `limit`."""
    more = int(length - (end - start))
    start, end = start - more // 2, end + more - more // 2
    if end >= limit:
        start, end = start - (end - limit), limit
    if start < 0:
        start, end = 0, end - start
    return start, min(end, limit)
