"""Sizes that a checkpoint was made for, which are those that the operator has named."""

from math import log

from pastelbot.config import Settings, parse_size
from pastelbot.options.building import default_hires
from pastelbot.records import GenerationRequest

# Up to three times the pixels of the largest named size, shapes mostly stay whole; far beyond, they repeat and melt.
_FAR = 3
# A shape that is so many times as long as the longest named one, or as 3:2, shows heads twice, or parts of one.
_STRETCHED = 1.6
_LONG = 1.5


def is_far_off(request: GenerationRequest, settings: Settings) -> bool:
    """Return whether a first pass has far more pixels, or is far longer, than the default checkpoint was made for."""
    named, width, height = _named(settings), request.width, request.height
    is_large = width * height > _FAR * max(each[0] * each[1] for each in named)
    widest = _STRETCHED * max(_LONG, *(each[0] / each[1] for each in named))
    narrowest = _STRETCHED * max(_LONG, *(each[1] / each[0] for each in named))
    is_long = width > widest * height or height > narrowest * width
    return not request.checkpoint and (is_large or is_long)


def fitted(request: GenerationRequest, settings: Settings) -> GenerationRequest:
    """Return a request in the named size whose shape is nearest to its own."""
    shape = log(request.width / request.height)
    width, height = min(_named(settings), key=lambda size: abs(log(size[0] / size[1]) - shape))
    hires = request.hires and default_hires((width, height), settings)
    return request.replace(width=width, height=height, hires=hires)


def _named(settings: Settings) -> list[tuple[int, int]]:
    return [parse_size(size.first) for size in settings.sizes.values()]
