"""Estimate of how long a picture takes on a device, from the speed of a matrix product on it."""

_CARD_WORK = 30.3  # megapixel-steps of the Pastel-Mix card's picture, hires pass included
_WORK_FLOPS = 5.3e12  # of SD 1.x's UNet for a megapixel-step with guidance: 0.7e12 for a row of 512x512
_EFFICIENCY = 0.5  # of a matrix product's speed that the UNet reaches


def card_minutes(flops: float) -> float:
    """Return the minutes that the card's picture takes at so many floating point operations a second."""
    return _CARD_WORK * _WORK_FLOPS / (flops * _EFFICIENCY) / 60
