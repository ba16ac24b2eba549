"""Sizes that a checkpoint was made for, which are those that the operator has named."""

from math import log

from pastelbot.config import Settings, parse_size
from pastelbot.options.building import default_hires
from pastelbot.records import GenerationRequest

# Up to three times the pixels of the largest named size, shapes mostly stay whole; far beyond, they repeat and melt.
_FAR = 3


def is_far_larger(request: GenerationRequest, settings: Settings) -> bool:
    """Return whether a first pass has far more pixels than the default checkpoint was made for."""
    largest = max(width * height for width, height in _named(settings))
    return not request.checkpoint and request.width * request.height > _FAR * largest


def fitted(request: GenerationRequest, settings: Settings) -> GenerationRequest:
    """Return a request in the named size whose shape is nearest to its own."""
    shape = log(request.width / request.height)
    width, height = min(_named(settings), key=lambda size: abs(log(size[0] / size[1]) - shape))
    hires = request.hires and default_hires((width, height), settings)
    return request.replace(width=width, height=height, hires=hires)


def _named(settings: Settings) -> list[tuple[int, int]]:
    return [parse_size(size.first) for size in settings.sizes.values()]
