"""From what a person typed to a GenerationRequest, with the operator's defaults for what was left out."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from pastelbot.config import Settings, parse_size
from pastelbot.errors import RequestError
from pastelbot.policy import MAX_SEED
from pastelbot.prompt.samplers import SamplerChoice, is_known, normalise
from pastelbot.records import GenerationRequest, HiresFix

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
    """The options of `/imagine` as typed; None is "as usual"."""

    prompt: str
    negative: str | None = None
    size: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    hires: bool | None = None
    count: int | None = None


def draft(wish: Wish, settings: Settings, *, random_seed: Callable[[], int]) -> GenerationRequest:
    """Complete a wish; raise RequestError where a name or a size cannot be understood."""
    usual = settings.defaults
    first, hires_size = _sizes(wish.size or usual.size, settings)
    sampler, schedule = read_sampler(wish.sampler or usual.sampler)
    hires = usual.hires if wish.hires is None else wish.hires
    return GenerationRequest(
        prompt=wish.prompt.strip(),
        negative_prompt=usual.negative_prompt if wish.negative is None else wish.negative.strip(),
        width=first[0],
        height=first[1],
        seed=random_seed() if wish.seed is None or wish.seed == -1 else wish.seed,
        count=1 if wish.count is None else wish.count,
        steps=usual.steps if wish.steps is None else wish.steps,
        cfg_scale=usual.cfg if wish.cfg is None else wish.cfg,
        sampler=sampler,
        schedule=schedule,
        clip_skip=usual.clip_skip,
        eta_noise_seed_delta=usual.eta_noise_seed_delta,
        noise_source=usual.noise_source,
        hires=_hires(hires_size, settings) if hires else None,
    )


def read_seed(text: str) -> int | None:
    """Read a typed seed; empty or -1 is None, a random one. Raises RequestError for anything else."""
    word = text.strip()
    if word in ("", "-1"):
        return None
    if not (word.isascii() and word.isdigit()) or int(word) > MAX_SEED:
        raise RequestError(f"{word[:40]!r} is not a seed: type a whole number from 0 to {MAX_SEED}, or nothing.")
    return int(word)


def read_sampler(name: str) -> SamplerChoice:
    """Read "DPM++ 2M Karras" as DPM++ 2M with Karras; raise RequestError with the nearest name."""
    if is_known(name):
        return normalise(name, None)
    near = difflib.get_close_matches(name, SAMPLER_CHOICES, n=1, cutoff=0.3)
    hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(SAMPLER_CHOICES)}."
    raise RequestError(f"There is no sampler {name[:60]!r}. {hint}")


def _sizes(size: str, settings: Settings) -> tuple[tuple[int, int], tuple[int, int] | None]:
    named = settings.sizes.get(size.strip().lower())
    if named is not None:
        return parse_size(named.first), parse_size(named.hires)
    try:
        first = parse_size(size)
    except ValueError as error:
        names = ", ".join(settings.sizes)
        raise RequestError(f"{size[:40]!r} is no size: use one of {names}, or pixels such as 448x640.") from error
    for known in settings.sizes.values():
        if parse_size(known.first) == first:
            return first, parse_size(known.hires)
    return first, None


def _hires(target: tuple[int, int] | None, settings: Settings) -> HiresFix:
    width, height = target or (0, 0)
    return HiresFix(
        width=width,
        height=height,
        steps=settings.defaults.hires_steps,
        denoising_strength=settings.defaults.denoising_strength,
        upscaler=settings.defaults.hires_upscaler,
    )
