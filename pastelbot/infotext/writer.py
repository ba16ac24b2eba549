"""Writer: from a request to its infotext, field by field in the webui's order."""

from collections.abc import Iterator, Mapping

from pastelbot import __version__
from pastelbot.errors import PromptError
from pastelbot.infotext.fields import Infotext
from pastelbot.infotext.init_fields import mask_fields
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.editing import prompt_schedule
from pastelbot.records import GenerationRequest, HiresFix
from pastelbot.rules.plain_fields import PLAIN_FIELDS
from pastelbot.rules.samplers import effective_schedule, normalise, uses_ensd
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS

_Field = tuple[str, object]


def format_infotext(
    request: GenerationRequest,
    *,
    index: int = 0,
    checkpoint: str,
    checkpoint_hash: str,
    vae: str = "",
    vae_hash: str = "",
    networks: Mapping[str, str] | None = None,
    version: str | None = None,
) -> str:
    """Return the infotext of the picture number `index`, counted from 0, of a request.

    `checkpoint_hash` is the first 10 hex digits of the checkpoint's SHA-256; "" leaves it out, as it does for the `vae`
    of a file of its own. `networks` are the fields about LoRAs and embeddings. `version` is the program that painted,
    Pastelbot where it is None.
    """
    fields = [
        *_first_pass(request, index),
        ("Model hash", checkpoint_hash),
        ("Model", checkpoint),
        ("VAE hash", vae_hash),
        ("VAE", vae),
        *_variation(request, index),
        *_settings(request),
        *(_hires(request, request.hires) if request.hires else ()),
        *(mask_fields(request.init.mask) if request.init and request.init.mask else ()),
        *(networks or {}).items(),
        ("Emphasis", request.emphasis if _emphasis_matters(request) else None),
        *_sampling(request, early=False),
        ("Version", version or f"Pastelbot {__version__}"),
    ]
    written = {name: _number(value) for name, value in fields if value not in (None, "")}
    return Infotext(request.prompt, request.negative_prompt, written).format()


def _shown_schedule(request: GenerationRequest) -> str:
    """Return the first pass's schedule as the infotext writes it: "Automatic" only where the sampler has none."""
    sampler, schedule = normalise(request.sampler, request.schedule)
    return effective_schedule(sampler, schedule) or schedule


def _first_pass(request: GenerationRequest, index: int) -> Iterator[_Field]:
    yield "Steps", request.steps
    yield "Sampler", normalise(request.sampler, None).sampler
    yield "Schedule type", _shown_schedule(request)
    yield "CFG scale", request.cfg_scale
    yield "Seed", request.seed + (0 if request.subseed_strength else index)
    yield "Size", f"{request.width}x{request.height}"


def _variation(request: GenerationRequest, index: int) -> Iterator[_Field]:
    if request.subseed_strength:
        yield "Variation seed", request.subseed + index
        yield "Variation seed strength", request.subseed_strength
    if request.seed_resize_width > 0 and request.seed_resize_height > 0:
        yield "Seed resize from", f"{request.seed_resize_width}x{request.seed_resize_height}"


def _settings(request: GenerationRequest) -> Iterator[_Field]:
    second = request.hires or request.init
    yield "Denoising strength", second.denoising_strength if second else None
    for field in PLAIN_FIELDS:
        yield field.title, field.value(request) if field.value(request) != field.absent else None
    drawn = uses_ensd(request.sampler) and request.sampling.eta > 0
    yield "ENSD", request.eta_noise_seed_delta or None if drawn else None
    yield "RNG", request.noise_source if request.noise_source != "GPU" else None
    yield from _sampling(request, early=True)


def _sampling(request: GenerationRequest, *, early: bool) -> Iterator[_Field]:
    for option in SAMPLING_OPTIONS:
        value = option.value(request)
        if (
            option.written
            and option.early == early
            and option.applies(request)
            and (option.usual_too or value != option.usual)
        ):
            yield option.title, value


def _hires(request: GenerationRequest, fix: HiresFix) -> Iterator[_Field]:
    sampler = normalise(request.sampler, None).sampler
    yield "Hires sampler", _different(normalise(fix.sampler or sampler, None).sampler, sampler)
    yield "Hires prompt", _different(fix.prompt, request.prompt)
    yield "Hires negative prompt", _different(fix.negative_prompt, request.negative_prompt)
    yield "Hires schedule type", _hires_schedule(request, fix)
    if fix.width or fix.height:
        yield "Hires resize", f"{fix.width}x{fix.height}"
    else:
        yield "Hires upscale", fix.scale
    yield "Hires steps", fix.steps or None
    yield "Hires upscaler", fix.upscaler
    yield "Hires CFG Scale", fix.cfg_scale if fix.cfg_scale != request.cfg_scale else None


def _hires_schedule(request: GenerationRequest, fix: HiresFix) -> str | None:
    """Return the hires pass's schedule where it differs from the first pass's."""
    sampler, schedule = normalise(fix.sampler or request.sampler, fix.schedule or request.schedule)
    return _different(effective_schedule(sampler, schedule), effective_schedule(request.sampler, request.schedule))


def _different(value: str | None, default: str | None) -> str | None:
    return value if value != default else None


def _emphasis_matters(request: GenerationRequest) -> bool:
    """Return whether another emphasis mode than "Original" can have changed the picture."""
    if request.emphasis == "Original":
        return False
    passes: list[tuple[str, str, int | None]] = [(request.prompt, request.negative_prompt, None)]
    if fix := request.hires:
        prompts = fix.prompt or request.prompt, fix.negative_prompt or request.negative_prompt
        passes.append((*prompts, fix.steps or request.steps))
    return any(
        _has_brackets(prompt, request.steps, hires_steps) for *prompts, hires_steps in passes for prompt in prompts
    )


def _has_brackets(prompt: str, steps: int, hires_steps: int | None) -> bool:
    try:
        schedules = [prompt_schedule(part.text, steps, hires_steps) for part in split_and(prompt)]
    except PromptError:
        return True
    return any("(" in entry.text or "[" in entry.text for schedule in schedules for entry in schedule)


def _number(value: object) -> str:
    """Write a value; whole numbers as 7, not 7.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
