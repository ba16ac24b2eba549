"""Recreating: missing resources of an infotext replaced by the nearest, with a note for each."""

from collections.abc import Collection
from dataclasses import replace

from pastelbot.choices import UPSCALERS, recognised_upscaler
from pastelbot.errors import RequestError
from pastelbot.infotext import ReadRequest, read_request
from pastelbot.records import GenerationRequest
from pastelbot.rules.limits import LEAST_SIDE

_STAND_IN = "Lanczos"  # for an upscaler's model: a model enlarges pixels, and so does this


def read_settings(infotext: str) -> ReadRequest:
    """Return what an infotext means; raises RequestError for a text that is none."""
    read = read_request(infotext)
    if set(read.missing) >= {"Steps", "Sampler", "Seed"}:
        raise RequestError(
            "This is not an infotext: it must have a line such as "
            "`Steps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 448x640`."
        )
    return read


def with_what_is_here(request: GenerationRequest, upscalers: Collection[str]) -> tuple[GenerationRequest, list[str]]:
    """Return the request in a size and with an upscaler that can be painted; `upscalers` are the operator's."""
    notes: dict[str, None] = {}
    request = _in_eights(request, notes)
    fix = request.hires
    if fix is not None:
        upscaler = recognised_upscaler(fix.upscaler, (*UPSCALERS, *upscalers))
        if upscaler is None:
            notes[f"The upscaler {fix.upscaler[:60]} is not here; {_STAND_IN} is taken."] = None
        fix = replace(fix, upscaler=upscaler or _STAND_IN)
    return request.replace(hires=fix), list(notes)


def _in_eights(request: GenerationRequest, notes: dict[str, None]) -> GenerationRequest:
    """Return the request in the size that the webui paints: whole eights of pixels, of which there is a least number.

    What is too large is left, to be refused with the cap.
    """
    width, height = (max(LEAST_SIDE, side // 8 * 8) for side in (request.width, request.height))
    if (width, height) == (request.width, request.height):
        return request
    notes[f"The size {request.width}x{request.height} cannot be painted; {width}x{height} is taken."] = None
    return request.replace(width=width, height=height)
