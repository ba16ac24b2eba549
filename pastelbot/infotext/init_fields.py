"""Fields of infotexts about a picture to start from, and where it was painted."""

from collections.abc import Iterator, Mapping

from pastelbot.choices import MASK_FILLINGS
from pastelbot.records import InitImage, Mask

STRENGTH = "Denoising strength"
_BLUR, _MODE, _AREA, _PADDING, _CONTENT = MASK_FIELDS = (
    "Mask blur",
    "Mask mode",
    "Inpaint area",
    "Masked area padding",
    "Masked content",
)
_INVERTED, _ONLY_MASKED = "Inpaint not masked", "Only masked"


def mask_fields(mask: Mask) -> Iterator[tuple[str, object]]:
    """Yield what the webui writes of a mask, in its order; the blur only where it is the same in both directions."""
    yield _MODE, _INVERTED if mask.inverted else None
    yield _BLUR, mask.blur_x if mask.blur_x == mask.blur_y and mask.blur_x > 0 else None
    yield _AREA, _ONLY_MASKED if mask.only_masked else None
    yield _PADDING, mask.padding if mask.only_masked else None
    yield _CONTENT, mask.filling if mask.is_filled else None


def read_init(fields: Mapping[str, object]) -> InitImage | None:
    """Return what a text says of a picture that it was painted over, without the picture; None where there was none."""
    if STRENGTH not in fields or "Hires upscale" in fields or "Hires upscaler" in fields or "Hires resize" in fields:
        return None
    masked = any(name in fields for name in MASK_FIELDS)
    strength = min(1.0, _number(fields, STRENGTH, 0.75))
    return InitImage(denoising_strength=strength, mask=_read_mask(fields) if masked else None)


def _read_mask(fields: Mapping[str, object]) -> Mask:
    blur, filling = _number(fields, _BLUR, 0.0), str(fields.get(_CONTENT, "original"))
    return Mask(
        blur_x=blur,
        blur_y=blur,
        inverted=fields.get(_MODE) == _INVERTED,
        filling=filling if filling in MASK_FILLINGS else "original",
        only_masked=fields.get(_AREA) == _ONLY_MASKED,
        padding=int(_number(fields, _PADDING, 32)),
    )


def _number(fields: Mapping[str, object], name: str, default: float) -> float:
    """Return a number from 0 to 1000, the default where it is none."""
    try:
        value = float(str(fields.get(name, default)))
    except ValueError:
        return default
    return value if 0 <= value <= 1000 else default
