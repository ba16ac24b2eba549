"""Clamping: defaults over a cap are lowered to it; typed values stay, to be refused."""

from dataclasses import replace

from pastelbot.config import LimitSettings
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.generation_options import GenerationOptions
from pastelbot.records import GenerationRequest, HiresFix
from pastelbot.rules.hires import hires_size
from pastelbot.rules.limits import LEAST_SIDE


def clamp(request: GenerationRequest, limits: LimitSettings, typed: GenerationOptions) -> GenerationRequest:
    """Return the request with everything that was not typed within the caps."""
    changes: dict[str, object] = {}
    for option in OPTIONS:
        if option.cap is not None and option.request_field is not None and getattr(typed, option.name) is None:
            changes[option.request_field] = min(getattr(request, option.request_field), option.cap(limits))
    if typed.size is None:
        changes["width"], changes["height"] = _fit(request.width, request.height, limits.max_side)
    request = request.replace(**changes)
    typed_hires = typed.hires or typed.hires_scale is not None or typed.hires_size is not None
    if request.hires is None or typed_hires:
        return request
    return request.replace(hires=_clamped_hires(request, request.hires, limits))


def cap_hires(request: GenerationRequest, limits: LimitSettings) -> GenerationRequest:
    """Return the request with its hires fix within the caps; one that may not be painted is left to be refused."""
    fix = request.hires
    return request if fix is None else request.replace(hires=_clamped_hires(request, fix, limits) or fix)


def _fit(width: int, height: int, largest: int) -> tuple[int, int]:
    """Return a size of the same shape, in multiples of 8, whose sides are at most `largest`."""
    if max(width, height) <= largest:
        return width, height
    scale = largest / max(width, height)
    return max(LEAST_SIDE, int(width * scale) // 8 * 8), max(LEAST_SIDE, int(height * scale) // 8 * 8)


def _clamped_hires(request: GenerationRequest, fix: HiresFix, limits: LimitSettings) -> HiresFix | None:
    """Return the hires fix to a size that may be painted; None where that is no larger than the first pass."""
    steps = min(fix.steps, limits.max_steps)
    width, height = hires_size(request.width, request.height, fix).picture
    if max(width, height) <= limits.max_hires_side:
        return replace(fix, steps=steps)
    width, height = _fit(width, height, limits.max_hires_side)
    if width <= request.width and height <= request.height:
        return None
    return replace(fix, width=width, height=height, steps=steps)
