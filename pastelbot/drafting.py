"""From what a person typed to a GenerationRequest, with the operator's defaults for what was left out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pastelbot import pictures
from pastelbot.config import Settings, parse_size
from pastelbot.errors import RequestError
from pastelbot.policy import MAX_SEED
from pastelbot.prompt.comments import strip_comments
from pastelbot.prompt.samplers import SamplerChoice, check_sampler, normalise
from pastelbot.records import GenerationRequest, HiresFix, InitImage

T = TypeVar("T")

# What a person chooses from: at most 25.
SAMPLER_CHOICES = (
    "DPM++ 2M Karras",
    "DPM++ SDE Karras",
    "DPM++ 2M SDE Karras",
    "DPM++ 3M SDE Exponential",
    "DPM++ 2S a Karras",
    "Euler a",
    "Euler",
    "Heun",
    "LMS Karras",
    "DPM2 Karras",
    "DPM2 a Karras",
    "DDIM",
    "UniPC",
    "LCM",
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was typed; None is "as usual". A seed of -1 is a random one."""

    prompt: str | None = None
    negative: str | None = None
    size: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    schedule: str | None = None
    clip_skip: int | None = None
    hires: bool | None = None
    hires_size: str | None = None
    hires_steps: int | None = None
    hires_upscaler: str | None = None
    denoise: float | None = None
    init: bytes | None = None
    resize_mode: str | None = None
    count: int | None = None


def draft(wish: Wish, settings: Settings, *, random_seed: Callable[[], int]) -> GenerationRequest:
    """Complete a wish with the defaults; raise RequestError where a name or a size cannot be understood."""
    return amend(usual_request(settings, seed=random_seed()), wish, settings, random_seed=random_seed)


def usual_request(settings: Settings, *, seed: int) -> GenerationRequest:
    """Return a request of nothing but the operator's defaults; its prompt is empty."""
    usual = settings.defaults
    named = settings.sizes[usual.size]
    width, height = parse_size(named.first)
    sampler, schedule = read_sampler(usual.sampler)
    return GenerationRequest(
        prompt="",
        negative_prompt=usual.negative_prompt,
        width=width,
        height=height,
        seed=seed,
        steps=usual.steps,
        cfg_scale=usual.cfg,
        sampler=sampler,
        schedule=schedule,
        clip_skip=usual.clip_skip,
        eta_noise_seed_delta=usual.eta_noise_seed_delta,
        noise_source=usual.noise_source,
        hires=usual_hires((width, height), settings) if usual.hires else None,
    )


def amend(
    base: GenerationRequest, wish: Wish, settings: Settings, *, random_seed: Callable[[], int]
) -> GenerationRequest:
    """Change a request in what was wished for; raise RequestError where that cannot be understood."""
    width, height = _size(base, wish, settings)
    init = _amend_init(base, wish)
    sampler, schedule = (base.sampler, base.schedule)
    if wish.sampler is not None or wish.schedule is not None:
        sampler, schedule = read_sampler(wish.sampler or base.sampler, wish.schedule)
    return base.replace(
        prompt=_typed(wish.prompt, base.prompt),
        negative_prompt=_typed(wish.negative, base.negative_prompt),
        width=width,
        height=height,
        seed=random_seed() if wish.seed == -1 else _or(wish.seed, base.seed),
        count=_or(wish.count, base.count),
        steps=_or(wish.steps, base.steps),
        cfg_scale=_or(wish.cfg, base.cfg_scale),
        sampler=sampler,
        schedule=schedule,
        clip_skip=_or(wish.clip_skip, base.clip_skip),
        hires=None if init is not None and not wish.hires else _amend_hires(base, wish, (width, height), settings),
        init=init,
    )


def read_seed(text: str) -> int | None:
    """Read a typed seed; empty or -1 is None, a random one. Raises RequestError for anything else."""
    word = text.strip()
    if word in {"", "-1"}:
        return None
    if not (word.isascii() and word.isdigit()) or int(word) > MAX_SEED:
        raise RequestError(f"{word[:40]!r} is not a seed: type a whole number from 0 to {MAX_SEED}, or nothing.")
    return int(word)


def read_sampler(name: str, schedule: str | None = None) -> SamplerChoice:
    """Read "DPM++ 2M Karras" as DPM++ 2M with Karras; raise RequestError with the nearest name."""
    check_sampler(name, schedule)
    return normalise(name, schedule)


def read_size(size: str, settings: Settings) -> tuple[int, int]:
    """Read a size's name or its pixels; raise RequestError with the names there are."""
    named = settings.sizes.get(size.strip().lower())
    try:
        return parse_size(size if named is None else named.first)
    except ValueError as error:
        names = ", ".join(settings.sizes)
        raise RequestError(f"{size[:40]!r} is no size: use one of {names}, or pixels such as 448x640.") from error


def _size(base: GenerationRequest, wish: Wish, settings: Settings) -> tuple[int, int]:
    """Return the size wished for; a picture to start from brings its own, as far as it may be painted."""
    if wish.size is not None:
        return read_size(wish.size, settings)
    if wish.init is None:
        return base.width, base.height
    width, height = pictures.size_of(wish.init)
    scale = min(1.0, settings.limits.max_side / max(width, height))
    return max(64, int(width * scale) // 8 * 8), max(64, int(height * scale) // 8 * 8)


def _amend_init(base: GenerationRequest, wish: Wish) -> InitImage | None:
    """Return the picture to start from, with the strength and resize mode that were wished for."""
    init = base.init if wish.init is None else InitImage.of(wish.init)
    if init is None:
        if wish.resize_mode is not None:
            raise RequestError("A resize mode belongs to a picture to start from: name one, or leave it out.")
        return None
    return replace(
        init,
        denoising_strength=_or(wish.denoise, init.denoising_strength),
        resize_mode=_or(wish.resize_mode, init.resize_mode),
    )


def _amend_hires(base: GenerationRequest, wish: Wish, first: tuple[int, int], settings: Settings) -> HiresFix | None:
    details = (wish.hires_size, wish.hires_steps, wish.hires_upscaler, wish.denoise)
    wanted = wish.hires if wish.hires is not None else base.hires is not None or details != (None,) * 4
    if not wanted:
        return None
    fix = base.hires if base.hires is not None and wish.size is None else usual_hires(first, settings)
    width, height = (fix.width, fix.height) if wish.hires_size is None else read_size(wish.hires_size, settings)
    return replace(
        fix,
        width=width,
        height=height,
        steps=_or(wish.hires_steps, fix.steps),
        denoising_strength=_or(wish.denoise, fix.denoising_strength),
        upscaler=_or(wish.hires_upscaler, fix.upscaler),
    )


def usual_hires(first: tuple[int, int], settings: Settings) -> HiresFix:
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


def _typed(text: str | None, usual: str) -> str:
    """Return what was typed, without comments: the webui, too, takes them out before it paints or writes them down."""
    return usual.strip() if text is None else strip_comments(text).strip()


def _or(value: T | None, usual: T) -> T:
    return usual if value is None else value
