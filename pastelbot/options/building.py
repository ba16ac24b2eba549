"""Builder: from options to a GenerationRequest, with the operator's defaults for the rest."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import sqrt
from typing import Any, TypeVar

from pastelbot.config import Settings, parse_size
from pastelbot.errors import RequestError
from pastelbot.formats import pictures
from pastelbot.infotext import refuse_infotext
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.generation_options import GenerationOptions
from pastelbot.options.reading import read_aspect, read_negative, read_sampler, read_size, size_with_aspect
from pastelbot.prompt.comments import strip_comments
from pastelbot.prompt.composition import end_as_tag
from pastelbot.prompt.styles import PLACE
from pastelbot.records import GenerationRequest, HiresFix, InitImage, Mask
from pastelbot.rules import cost
from pastelbot.rules.sampling.init_options import divided, with_init_options
from pastelbot.rules.sampling.options import read_sampling

T = TypeVar("T")


def draft(options: GenerationOptions, settings: Settings, *, random_seed: Callable[[], int]) -> GenerationRequest:
    """Complete the options with the defaults; raise RequestError where a name or a size cannot be understood."""
    return amend(default_request(settings, seed=random_seed()), options, settings, random_seed=random_seed)


def default_request(settings: Settings, *, seed: int) -> GenerationRequest:
    """Return a request of nothing but the operator's defaults; its prompt is empty."""
    default = settings.defaults
    named = settings.sizes[default.size]
    width, height = parse_size(named.first)
    sampler, schedule = read_sampler(default.sampler)
    return GenerationRequest(
        prompt="",
        negative_prompt=default.negative_prompt,
        width=width,
        height=height,
        seed=seed,
        sampler=sampler,
        schedule=schedule,
        eta_noise_seed_delta=default.eta_noise_seed_delta,
        noise_source=default.noise_source,
        hires=default_hires((width, height), settings) if default.hires else None,
        **_plain_fields({option.name: option.default(settings) for option in OPTIONS}),
    )


def default_work(settings: Settings) -> int:
    """Return the work of a usual picture: one of nothing but the operator's defaults."""
    return cost.work(default_request(settings, seed=0))


def amend(
    base: GenerationRequest, options: GenerationOptions, settings: Settings, *, random_seed: Callable[[], int]
) -> GenerationRequest:
    """Change a request in the options that are set; raise RequestError where that cannot be understood."""
    width, height = _size(base, options, settings)
    sampling, of_init = divided(options.sampling or "")
    init = with_init_options(_amend_init(base, options), of_init)
    sampler, schedule = (base.sampler, base.schedule)
    if options.sampler is not None or options.schedule is not None:
        sampler, schedule = read_sampler(options.sampler or base.sampler, options.schedule)
    return base.replace(
        prompt=_prompt(options.prompt, base.prompt),
        negative_prompt=_negative(base, options),
        width=width,
        height=height,
        seed=random_seed() if options.seed == -1 else _or(options.seed, base.seed),
        sampler=sampler,
        schedule=schedule,
        sampling=replace(base.sampling, **read_sampling(sampling)),  # type: ignore[arg-type]
        hires=None
        if init is not None and not options.hires
        else _amend_hires(base, options, (width, height), settings),
        init=init,
        **_plain_fields(options.set_fields()),
    )


def _plain_fields(values: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of the request that take an option's value as it is; None is no value.

    Any: each field has a type of its own.
    """
    return {
        option.request_field: value
        for option in OPTIONS
        if option.request_field is not None and (value := values.get(option.name)) is not None
    }


def _size(base: GenerationRequest, options: GenerationOptions, settings: Settings) -> tuple[int, int]:
    """Return the typed size; a picture to start from brings its own, as far as it may be painted."""
    size = _plain_size(base, options, settings)
    if options.aspect is None:
        return size
    return size_with_aspect(size, read_aspect(options.aspect), largest=settings.limits.max_side)


def _plain_size(base: GenerationRequest, options: GenerationOptions, settings: Settings) -> tuple[int, int]:
    if options.size is not None:
        return read_size(options.size, settings)
    if options.init is None:
        return base.width, base.height
    width, height = pictures.size_of(options.init)
    scale = min(1.0, settings.limits.max_side / max(width, height), sqrt(_most_pixels(settings) / (width * height)))
    return max(64, int(width * scale) // 8 * 8), max(64, int(height * scale) // 8 * 8)


def _most_pixels(settings: Settings) -> int:
    """Return the pixels of the largest of the operator's sizes: what a photo of any size is painted at."""
    sizes = (parse_size(text) for size in settings.sizes.values() for text in (size.first, size.hires))
    return max(width * height for width, height in sizes)


def _amend_init(base: GenerationRequest, options: GenerationOptions) -> InitImage | None:
    """Return the picture to start from, with the typed strength and resize mode."""
    init = base.init if options.init is None else InitImage.of(options.init)
    if init is None:
        if options.resize_mode is not None:
            raise RequestError("A resize mode belongs to a picture to start from: name one, or leave it out.")
        if options.mask is not None:
            raise RequestError("A mask belongs to a picture to start from: attach one as init, or leave it out.")
        return None
    if options.mask is not None:
        mask = replace(init.mask or Mask(), content=options.mask)
        init = replace(init, mask=mask, upload=init.upload + len(options.mask))
    return replace(
        init,
        denoising_strength=_or(options.denoise, init.denoising_strength),
        resize_mode=_or(options.resize_mode, init.resize_mode),
    )


def _amend_hires(
    base: GenerationRequest, options: GenerationOptions, first: tuple[int, int], settings: Settings
) -> HiresFix | None:
    details = (options.hires_scale, options.hires_size, options.hires_steps, options.hires_upscaler, options.denoise)
    wanted = options.hires if options.hires is not None else base.hires is not None or details != (None,) * 5
    if not wanted:
        return None
    same_size = options.size is None and options.aspect is None
    fix = base.hires if base.hires is not None and same_size else default_hires(first, settings)
    width, height = (fix.width, fix.height) if options.hires_size is None else read_size(options.hires_size, settings)
    if options.hires_scale is not None:
        width = height = 0
    return replace(
        fix,
        width=width,
        height=height,
        scale=_or(options.hires_scale, fix.scale),
        steps=_or(options.hires_steps, fix.steps),
        denoising_strength=_or(options.denoise, fix.denoising_strength),
        upscaler=_or(options.hires_upscaler, fix.upscaler),
    )


def default_hires(first: tuple[int, int], settings: Settings) -> HiresFix:
    """Return the default hires fix: to the size that belongs to the first pass's, else twice as large."""
    named = next((size for size in settings.sizes.values() if parse_size(size.first) == first), None)
    width, height = parse_size(named.hires) if named is not None else (0, 0)
    return HiresFix(
        width=width,
        height=height,
        steps=settings.defaults.hires_steps,
        denoising_strength=settings.defaults.denoising_strength,
        upscaler=settings.defaults.hires_upscaler,
    )


def _prompt(text: str | None, default: str) -> str:
    """Return a typed prompt; what was typed to its end is no weight of it."""
    refuse_infotext(text or "")
    return _typed(text, default) if text is None else end_as_tag(_typed(text, default))


def _typed(text: str | None, default: str) -> str:
    """Return what was typed, without comments: the webui, too, takes them out before it paints or writes them down."""
    return default.strip() if text is None else strip_comments(text).strip()


def _negative(base: GenerationRequest, options: GenerationOptions) -> str:
    """Return the negative prompt, with what else is to be avoided in front of it, or around it at `{prompt}`."""
    refuse_infotext(options.negative or "", negative=True)
    default = _typed(None if options.negative is None else read_negative(options.negative), base.negative_prompt)
    avoid = _typed(options.avoid, "").strip(", ")
    if PLACE in avoid:
        return avoid.replace(PLACE, default).strip(", ")
    joined = ", ".join(part for part in (avoid, default) if part)
    return joined if options.negative is None and options.avoid is None else end_as_tag(joined)


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
