"""Fields of a request that are one number each: one row a field, for limits, infotexts and grids."""

import typing
from dataclasses import dataclass

from pastelbot.records import GenerationRequest

_TYPES = typing.get_type_hints(GenerationRequest)


@dataclass(frozen=True, kw_only=True)
class PlainField:
    """A numeric field of GenerationRequest: `least` to `most`, called `title` in infotexts and on the axes of grids.

    `absent` is its value in an infotext without it, and the value that is not written into one.
    """

    name: str
    title: str
    absent: float
    least: float
    most: float

    @property
    def whole(self) -> bool:
        """Return whether the request holds whole numbers alone there."""
        return _TYPES[self.name] is int

    def value(self, request: GenerationRequest) -> float:
        """Return the request's value."""
        value: float = getattr(request, self.name)
        return value


PLAIN_FIELDS = (
    PlainField(name="clip_skip", title="Clip skip", absent=1, least=1, most=12),  # CLIP has 12 layers
)
USUAL = GenerationRequest(prompt="")  # has each field's usual value
