"""Limits, pure: the validity of a request."""

import re
from collections.abc import Callable, Iterable, Sequence

from pastelbot.choices import LATENT_RESIZE, PIXEL_UPSCALERS, RESIZE_MODES, UPSCALERS, nearest_names
from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotFoundError, PromptError, RequestError
from pastelbot.formats import pictures
from pastelbot.formats.inpainting.masks import check_mask
from pastelbot.formats.network_files import LoraFiles, ModelNames
from pastelbot.prompt import check, check_not_blank
from pastelbot.prompt.extra_networks import NetworkTag
from pastelbot.prompt.lora_tags import lora_tags_among, written
from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.tokenization.chunks import CHUNK_LENGTH
from pastelbot.records import GenerationRequest, InitImage, Mask
from pastelbot.rules import grids
from pastelbot.rules.hires import hires_size
from pastelbot.rules.number_texts import number_text
from pastelbot.rules.plain_fields import PLAIN_FIELDS, USUAL
from pastelbot.rules.samplers import check_sampler
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS

MAX_SEED = 2**32 - 1
# Control characters and UTF-16 surrogates, which cannot be stored.
_BROKEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
LEAST_SIDE = 64
_MOST_CUT = 2  # times the cap: what a hires fix of another shape may enlarge before it cuts


def check_request(
    request: GenerationRequest,
    limits: LimitSettings,
    *,
    upscaler_models: Iterable[str] = (),
    models: ModelNames | None = None,
) -> None:
    """Raise a RequestError that says what is wrong with the request and what the limit is.

    `upscaler_models` and `models` are the names that the operator has configured.
    """
    check_prompts(request, limits, models=models)
    check_settings(request, limits, upscaler_models=upscaler_models, models=models)


def check_prompts(
    request: GenerationRequest,
    limits: LimitSettings,
    *,
    models: ModelNames | None = None,
    parser: PromptParser | None = None,
) -> None:
    """Do the part of `check_request` that concerns the prompts alone; `parser` is that of the request."""
    parser = parser or PromptParser()
    _check_prompt(request, limits, parser)
    _check_networks_of(request, limits, (models or ModelNames()).loras, parser)


def check_settings(
    request: GenerationRequest,
    limits: LimitSettings,
    *,
    upscaler_models: Iterable[str] = (),
    models: ModelNames | None = None,
) -> None:
    """Do the part of `check_request` that concerns everything but the prompts."""
    _check_models(request, models or ModelNames())
    check_sampler(request.sampler, request.schedule)
    _check_size("width", request.width, limits.max_side)
    _check_size("height", request.height, limits.max_side)
    _at_most("The number of steps", request.steps, limits.max_steps)
    _at_most("The CFG scale", request.cfg_scale, limits.max_cfg)
    _at_most("The number of pictures", request.count, limits.max_count)
    _check_plain_fields(request)
    _check_sampling(request)
    if request.cfg_scale < 1:
        raise LimitError(f"The CFG scale {number_text(request.cfg_scale)} is below 1: 7 is a good value.")
    _check_noise(request, limits)
    _check_hires(request, limits, upscaler_models)
    if request.init is not None:
        _check_init(request, request.init, limits)
        _check_init_upscaler(request.init, upscaler_models)


def pictures_of(request: GenerationRequest, limits: LimitSettings) -> list[GenerationRequest]:
    """Return what is painted for a request: itself with the prompts of each picture, or a grid's cells.

    Raises RequestError for too large a grid.
    """
    grid = request.grid
    if grid is None:
        return request.with_each_prompt()
    count = len(grid.x.values) * (len(grid.y.values) if grid.y is not None else 1)
    if count > limits.max_grid:
        raise LimitError(f"The grid has {count:,} pictures; the cap is {limits.max_grid}. Take some values out.")
    return grids.pictures_of(request)


def check_length(request: GenerationRequest, limits: LimitSettings, tokens: Callable[[str], int]) -> None:
    """Raise LimitError where a prompt has more chunks than the cap; `tokens` counts a prompt's tokens."""
    for name, text in (("prompt", request.prompt), ("negative prompt", request.negative_prompt)):
        count = tokens(text)
        chunks = -(-count // CHUNK_LENGTH)
        if chunks > limits.max_chunks:
            raise LimitError(
                f"The {name} has {count:,} tokens, which are {chunks} chunks of {CHUNK_LENGTH}; the limit is "
                f"{limits.max_chunks} chunks. Leave something out."
            )


def _check_plain_fields(request: GenerationRequest) -> None:
    for field in PLAIN_FIELDS:
        if not field.least <= field.value(request) <= field.most:
            asked, usual, least, most = map(
                number_text, (field.value(request), field.value(USUAL), field.least, field.most)
            )
            raise LimitError(f"{field.title} {asked} does not work: ask for {least} to {most}; {usual} is usual.")


def _check_sampling(request: GenerationRequest) -> None:
    for option in SAMPLING_OPTIONS:
        option.check(str(option.value(request)))


def _check_prompt(request: GenerationRequest, limits: LimitSettings, parser: PromptParser) -> None:
    for each in request.prompts or (request,):
        check_not_blank(each.prompt)
    hires = request.hires
    _check_text("prompt", request.prompt, limits, parser)
    _check_text("negative prompt", request.negative_prompt, limits, parser, negative=True)
    _check_text("hires prompt", (hires and hires.prompt) or "", limits, parser)
    _check_text("negative hires prompt", (hires and hires.negative_prompt) or "", limits, parser, negative=True)


def _check_models(request: GenerationRequest, models: ModelNames) -> None:
    for kind, name, known in (
        ("checkpoint", request.checkpoint, models.checkpoints),
        ("VAE", request.vae, models.vaes),
    ):
        if name and name not in known:
            near = nearest_names(name[:60], known) if known else "This bot has none to choose from."
            raise NotFoundError(f"There is no {kind} {name[:60]!r}. {near}")


def _check_networks_of(
    request: GenerationRequest, limits: LimitSettings, loras: LoraFiles, parser: PromptParser
) -> None:
    for prompt in {request.prompt, (request.hires and request.hires.prompt) or request.prompt}:
        _check_networks(parser.networks(prompt).tags, limits, loras)


def _check_networks(found: Sequence[NetworkTag], limits: LimitSettings, loras: LoraFiles) -> None:
    for tag in found:
        if tag.kind.lower() == "hypernet":
            raise RequestError(f"Hypernetworks are not supported: take {written(tag)} out of the prompt.")
    tags = lora_tags_among(found)
    if len(tags) > limits.max_loras:
        raise LimitError(f"The prompt has {len(tags)} LoRAs; the limit is {limits.max_loras}. Leave some out.")
    for name in {tag.name for tag in tags}:
        if loras.find(name) is None:
            raise NotFoundError(loras.refusal(name))


def _check_text(name: str, text: str, limits: LimitSettings, parser: PromptParser, *, negative: bool = False) -> None:
    if len(text) > limits.max_prompt:
        raise LimitError(
            f"The {name} has {len(text):,} characters; the limit is {limits.max_prompt:,}. Leave something out."
        )
    broken = _BROKEN.search(text)
    if broken is not None:
        place = broken.start()
        raise PromptError(f"The {name} has an invalid character at position {place + 1}: take it out.", position=place)
    try:
        check(text, negative=negative, parser=parser)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _check_noise(request: GenerationRequest, limits: LimitSettings) -> None:
    """Check the seed, and the noise settings that only an infotext can set."""
    if not 0 <= request.seed <= MAX_SEED:
        raise LimitError(f"The seed {request.seed} is outside 0 to {MAX_SEED}.")
    if request.seed + request.count - 1 > MAX_SEED:
        raise LimitError(
            f"The seeds of {request.count} pictures would go beyond {MAX_SEED}: choose a smaller seed, or one picture."
        )
    if not 0 <= request.subseed <= MAX_SEED:
        raise LimitError(f"The variation seed {request.subseed} is outside 0 to {MAX_SEED}.")
    if not 0 <= request.subseed_strength <= 1:
        raise LimitError(f"A variation strength of {number_text(request.subseed_strength)} must be between 0 and 1.")
    if abs(request.eta_noise_seed_delta) > MAX_SEED:
        raise LimitError(f"The ENSD {request.eta_noise_seed_delta} is outside -{MAX_SEED} to {MAX_SEED}.")
    width, height = request.seed_resize_width, request.seed_resize_height
    if (width, height) != (0, 0) and not all(LEAST_SIDE <= side <= limits.max_side for side in (width, height)):
        raise LimitError(
            f"The noise cannot be resized from {width}x{height}: {LEAST_SIDE} to {limits.max_side} a side is allowed."
        )


def _check_size(name: str, pixels: int, cap: int) -> None:
    if pixels > cap:
        raise LimitError(f"The {name} of {pixels} pixels is over the cap of {cap}: ask for less, or use the hires fix.")
    if pixels < LEAST_SIDE or pixels % 8:
        nearest = max(LEAST_SIDE, min((pixels + 4) // 8 * 8, cap // 8 * 8))
        raise LimitError(
            f"The {name} of {pixels} pixels does not work: it must be a multiple of 8, {LEAST_SIDE} to {cap}. "
            f"The nearest is {nearest}."
        )


def _check_hires(request: GenerationRequest, limits: LimitSettings, upscaler_models: Iterable[str]) -> None:
    fix = request.hires
    if fix is None:
        return
    if not limits.max_hires_side:
        raise LimitError("The hires fix is switched off here: set hires to off.")
    check_sampler(fix.sampler or request.sampler, fix.schedule)
    _check_strength(fix.denoising_strength, least=0.01)
    if not 0 <= fix.steps <= limits.max_steps:
        raise LimitError(f"The number of hires steps, {fix.steps}, is outside 0 to {limits.max_steps}.")
    if fix.cfg_scale is not None:
        _at_most("The CFG scale of the hires fix", fix.cfg_scale, limits.max_cfg)
    known = (*UPSCALERS, *upscaler_models)
    if fix.upscaler not in known:
        raise LimitError(f"There is no upscaler {fix.upscaler[:60]!r}. {nearest_names(fix.upscaler[:60], known)}")
    width, height = hires_size(request.width, request.height, fix).picture
    if min(width, height) < LEAST_SIDE:
        raise LimitError(f"The hires fix would paint {width}x{height}; each side must be at least {LEAST_SIDE}.")
    if max(width, height) > limits.max_hires_side:
        raise LimitError(
            f"The hires fix would paint {width}x{height}; the cap is {limits.max_hires_side} a side. "
            "Choose a smaller size, or set hires to off."
        )
    scale = max(width / request.width, height / request.height)
    if scale * max(request.width, request.height) > _MOST_CUT * limits.max_hires_side:
        raise LimitError(
            f"The hires fix would cut nearly everything off to paint {width}x{height}: choose a size of a shape like "
            f"{request.width}x{request.height}."
        )


def _check_init(request: GenerationRequest, init: InitImage, limits: LimitSettings) -> None:
    if request.hires is not None:
        raise RequestError("A picture to start from and the hires fix do not go together: leave one of them out.")
    _check_strength(init.denoising_strength, least=0)
    if init.resize_mode not in RESIZE_MODES:
        raise LimitError(
            f"There is no resize mode {init.resize_mode[:60]!r}. {nearest_names(init.resize_mode[:60], RESIZE_MODES)}"
        )
    width, height = pictures.size_of(init.content)
    if init.resize_mode == LATENT_RESIZE and max(width, height) > limits.max_hires_side:
        raise LimitError(
            f"The picture to start from is {width}x{height}; a latent resize takes at most {limits.max_hires_side} "
            "a side. Use another resize mode."
        )
    if init.exact_steps and init.denoising_strength == 0:
        raise LimitError("With a denoising strength of 0 there are no exact steps to paint; ask for 0.01 to 1.")
    if init.mask is not None:
        _check_mask(init, init.mask, limits)


def _check_mask(init: InitImage, mask: Mask, limits: LimitSettings) -> None:
    check_mask(init, mask)
    width, height = pictures.size_of(init.content)
    if mask.only_masked and max(width, height) > limits.max_hires_side:
        raise LimitError(
            f"The picture to start from is {width}x{height}, and so would the result be; the cap is "
            f"{limits.max_hires_side} a side. Make picture and mask smaller, or paint the whole picture."
        )


def _check_init_upscaler(init: InitImage, models: Iterable[str]) -> None:
    known = (*PIXEL_UPSCALERS, *models)
    if init.upscaler not in known:
        raise LimitError(
            f"There is no upscaler {init.upscaler[:60]!r} for a picture to start from. "
            f"{nearest_names(init.upscaler[:60], known)}"
        )


def _check_strength(strength: float, *, least: float) -> None:
    if not least <= strength <= 1:
        raise LimitError(
            f"A denoising strength of {number_text(strength)} is not possible: ask for {number_text(least)} to 1."
        )


def _at_most(name: str, value: float, cap: float) -> None:
    if value > cap:
        raise LimitError(f"{name}, {number_text(value)}, is over the cap of {number_text(cap)}: ask for less.")
    if value < 1:
        raise LimitError(f"{name}, {number_text(value)}, must be at least 1.")
