"""Request builder: from options to requests, with flags, presets, settings, permutations and caps."""

import asyncio
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pastelbot.choices import upscaler_files
from pastelbot.config import Settings
from pastelbot.errors import LimitError, PromptError, RequestError
from pastelbot.infotext import completed, painted_over
from pastelbot.options import GenerationOptions, amend, default_hires, draft
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.clamping import cap_hires, clamp
from pastelbot.options.flags import options_from_prompt
from pastelbot.options.reading import read_negative
from pastelbot.options.recreating import read_settings, with_what_is_here
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt import check_not_blank
from pastelbot.prompt.expansion import expand
from pastelbot.prompt.wildcard_lists import Wildcards
from pastelbot.records import Actor, GenerationRequest, Grid, InitImage, JobOptions, Prompts
from pastelbot.rules.sampling.init_options import applicable
from pastelbot.service.access import AccessPolicy, EffectivePolicy
from pastelbot.service.models.models import Models
from pastelbot.service.requests.checking import Checked, RequestChecker
from pastelbot.service.requests.preferences import EffectiveDefaults, Preferences
from pastelbot.service.requests.presets import Presets

_NEGATIVE_PICKS = 2**40  # other numbers than the prompt's, or both would always pick alike

_Texts = Sequence[Sequence[str | None]]  # of each combination, for each picture


class RequestBuilder:
    """Completes the typed options with all that was set before, and checks them."""

    def __init__(
        self,
        settings: Settings,
        access: AccessPolicy,
        checker: RequestChecker,
        preferences: Preferences,
        presets: Presets,
        models: Models,
        *,
        random_seed: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._access = access
        self._checker = checker
        self._preferences = preferences
        self._presets = presets
        self._models = models
        self._random_seed = random_seed

    async def build(
        self,
        actor: Actor,
        typed: GenerationOptions,
        made_from: JobOptions | None = None,
        *,
        grid: Grid | None = None,
    ) -> Checked:
        """Return the checked requests that a command's options mean; raises RequestError.

        An option counts more than a flag in the prompt, and both more than a preset, which counts more than what the
        person, the channel and the server have set. `made_from` are the options of a job that this one is a child of.
        With a `grid` there is one request, for all of its pictures, which are only painted large where that is typed.
        """
        typed = _with_flags(typed)
        if grid is not None:
            typed = typed.replace(hires=bool(typed.hires), count=1)
        effective_defaults = await self._preferences.effective_defaults(actor)
        preset = await self._preset(actor, typed)
        default = preset.merged_over(effective_defaults.merged)
        options = typed.merged_over(_without_hires(default) if typed.init is not None else default)
        check_not_blank(options.prompt or "")
        policy = await self._access.authorize(actor)
        settings = self._capped(policy)
        options = options.replace(hires=_wants_hires(typed, options, settings), seed=self._seed(options))
        pictures = 1 if grid is not None else options.count or 1
        each_job, style = await self._expanded(options, settings, pictures), self._settings.prompts.style

        def drafted(each: GenerationOptions) -> GenerationRequest:
            styled = each.replace(prompt=_apply_style(each, effective_defaults, style))
            return clamp(draft(styled, settings, random_seed=self._random_seed), settings.limits, typed)

        requests = await asyncio.to_thread(lambda: [_joined(map(drafted, each)) for each in each_job])
        if grid is not None:
            requests = [_with_grid(requests, grid)]
        job_options = _job_options(options, actor, made_from or JobOptions())
        return await self._checker.check(actor, requests, job_options, policy=policy)

    async def change(
        self, actor: Actor, base: GenerationRequest, typed: GenerationOptions, job_options: JobOptions
    ) -> Checked:
        """Return the checked requests that another request becomes with what was typed; raises RequestError.

        Presets and flags work in the typed prompt; what the server and the user have set does not count again.
        """
        typed = _with_flags(typed)
        options = typed.merged_over(await self._preset(actor, typed, base.init))
        options = options.replace(seed=self._seed(options) if options.seed is not None else None)
        policy = await self._access.authorize(actor)
        settings = self._capped(policy)
        seeded = options.replace(seed=base.seed) if options.seed is None else options
        pictures = seeded.count or base.count
        each_job, style = await self._expanded(seeded, settings, pictures), self._settings.prompts.style

        def amended(each: GenerationOptions) -> GenerationRequest:
            styled = each.replace(prompt=_with_style(each, style))
            return amend(base, styled, settings, random_seed=self._random_seed)

        requests = await asyncio.to_thread(lambda: [_joined(map(amended, each)) for each in each_job])
        job_options = _job_options(options, actor, job_options)
        return await self._checker.check(actor, requests, job_options, policy=policy)

    async def recreate(
        self,
        actor: Actor,
        infotext: str,
        made_from: JobOptions,
        *,
        init: bytes | None = None,
        mask: bytes | None = None,
    ) -> tuple[Checked, list[str]]:
        """Return the checked request that an infotext means, and sentences about what will differ; raises RequestError.

        Of what was set here, only spoiler and private count: an infotext has everything that pixels depend on, but for
        the picture that it was painted over, and its mask.
        """
        read = await asyncio.to_thread(read_settings, infotext)
        if init is not None:
            read = painted_over(read, init, mask)
        read = completed(read, random_seed=self._random_seed)
        request, adapted = await self._models.adapted(read)
        upscalers = await asyncio.to_thread(upscaler_files, self._settings.checkpoint.upscalers)
        request, replaced = with_what_is_here(request, upscalers)
        defaults = await self._preferences.effective_defaults(actor)
        checked = await self._checker.check(actor, [request], _job_options(defaults.merged, actor, made_from))
        return checked, [*adapted, *replaced, *read.notes]

    async def enlarge(
        self, actor: Actor, request: GenerationRequest, options: JobOptions, *, strength: float | None = None
    ) -> Checked:
        """Return the request with the operator's usual hires fix for its size, as large as the caps let it be.

        `strength` is another denoising strength than the usual one.
        """
        policy = await self._access.authorize(actor)
        fix = default_hires((request.width, request.height), self._settings)
        large = request.replace(hires=fix if strength is None else replace(fix, denoising_strength=strength))
        return await self._checker.check(actor, [cap_hires(large, policy.limits)], options, policy=policy)

    async def check_defaults(self, actor: Actor, options: GenerationOptions) -> None:
        """Raise RequestError where options could not be painted here with any prompt."""
        policy = await self._access.authorize(actor)
        settings, typed_hires = self._capped(policy), options.hires or options.hires_scale is not None
        asked = options.replace(prompt=options.prompt or "1girl", seed=self._seed(options))

        def drafted(each: GenerationOptions) -> GenerationRequest:
            request = draft(each.replace(hires=_wants_hires(each, each, settings)), settings, random_seed=int)
            return request if typed_hires else clamp(request, settings.limits, each)

        for (each,) in await self._expanded(asked, settings, 1):
            request = await asyncio.to_thread(drafted, each)
            await self._checker.check(actor, [request], JobOptions(), policy=policy)

    async def _preset(self, actor: Actor, typed: GenerationOptions, base: InitImage | None = None) -> GenerationOptions:
        """Return what the preset sets; its options of pictures to start from and of masks count beside these alone."""
        if typed.preset is None:
            return GenerationOptions()
        preset = await self._presets.settings_of(actor, typed.preset)
        picture = typed.init is not None or base is not None
        mask = typed.mask is not None or (typed.init is None and base is not None and base.mask is not None)
        return preset.replace(sampling=applicable(preset.sampling or "", picture=picture, mask=mask))

    def _capped(self, policy: EffectivePolicy) -> Settings:
        """Return the settings with the caps that hold for this user here."""
        return self._settings.model_copy(update={"limits": policy.limits})

    def _seed(self, options: GenerationOptions) -> int:
        return self._random_seed() if options.seed is None or options.seed == -1 else options.seed

    async def _expanded(
        self, options: GenerationOptions, settings: Settings, pictures: int
    ) -> list[list[GenerationOptions]]:
        """Return the options of each combination of what stands in braces, for each of its so many pictures.

        All combinations have the same seeds: the options' for the first picture, the next one for the second.
        """
        first, most = options.seed or 0, settings.limits.max_combinations
        seeds = range(first, first + max(1, min(pictures, settings.limits.max_count)))
        wildcards = await self._wildcards(options)
        picks = range(seeds.start + _NEGATIVE_PICKS, seeds.stop + _NEGATIVE_PICKS)

        def negatives(name: str, text: str | None) -> _Texts:
            return _expand_negative(name, text, picks, wildcards, most) if text is not None else [(None,) * len(seeds)]

        prompts: _Texts = [(None,) * len(seeds)]
        if options.prompt is not None:
            prompts = expand(options.prompt, seeds=seeds, wildcards=wildcards, limit=most)
        avoided = negatives("negative prompt", options.negative), negatives("flag --no", options.avoid)
        count = math.prod(map(len, (prompts, *avoided)))
        if count > most:
            raise LimitError(
                f"The braces make {count:,} different prompts; the limit is {most}. Leave some of them out."
            )
        return [
            [
                options.replace(prompt=prompt, negative=negative, avoid=avoid)
                for prompt, negative, avoid in zip(*combination, strict=True)
            ]
            for combination in itertools.product(prompts, *avoided)
        ]

    async def _wildcards(self, options: GenerationOptions) -> Wildcards:
        """Read the lists anew each time, as operators change them while the bot runs; only where one may be named."""
        if not any("__" in (text or "") for text in (options.prompt, options.negative, options.avoid)):
            return Wildcards({})
        return await asyncio.to_thread(load_wildcards, self._settings.prompts.wildcards)


def _with_grid(requests: Sequence[GenerationRequest], grid: Grid) -> GenerationRequest:
    if len(requests) > 1:
        raise RequestError(
            "Braces in a grid's prompt would make several grids: write one prompt, and let Prompt S/R change it."
        )
    return requests[0].replace(grid=grid, count=1)


def _apply_style(options: GenerationOptions, effective_defaults: EffectiveDefaults, style: str) -> str:
    """Return the prompt with all that goes around it: the style, the server's prefix and suffix, and LoRAs."""
    prompt = _surrounded(options.prompt or "", effective_defaults.prefix, effective_defaults.suffix)
    return _with_style(options.replace(prompt=prompt), style) or ""


def _surrounded(prompt: str, prefix: str, suffix: str) -> str:
    """Put the server's texts around a prompt that does not have them yet."""
    before = "" if not prefix or prompt.startswith(prefix) else prefix
    after = "" if not suffix or prompt.endswith(suffix) else suffix
    return ", ".join(
        part.strip().strip(",").strip() if part is not prompt else part for part in (before, prompt, after) if part
    )


def _with_style(options: GenerationOptions, style: str) -> str | None:
    prompt = options.prompt
    if prompt is None and (options.lora or options.style):
        raise RequestError("A LoRA or a style goes with a prompt: write one.")
    if prompt is not None and options.style and style and not prompt.startswith(style):
        prompt = f"{style}, {prompt}"
    if prompt is not None and options.lora:
        prompt = f"{prompt} {_lora_tag(options.lora)}"
    return prompt


def _lora_tag(text: str) -> str:
    """Write "soft" as `<lora:soft:1>`, and "soft:0.8" with its weight."""
    name, _, weight = text.strip().removeprefix("<lora:").removesuffix(">").partition(":")
    if not name.strip() or ">" in name:
        raise RequestError(f"{text[:60]!r} is not the name of a LoRA: choose one from the list, or leave it out.")
    return f"<lora:{name.strip()}:{weight.strip() or '1'}>"


def _with_flags(options: GenerationOptions) -> GenerationOptions:
    """Return what was typed, in the prompt too; an option counts more than a flag."""
    if options.prompt is None:
        return options
    flags = options_from_prompt(options.prompt)
    return GenerationOptions.of({**flags.set_fields(), **options.set_fields(), "prompt": flags.prompt})


def _without_hires(default: GenerationOptions) -> GenerationOptions:
    """Leave out what does not go with a picture to start from, which brings its own size."""
    return default.replace(**{option.name: None for option in OPTIONS if not option.beside_init})


def _wants_hires(typed: GenerationOptions, options: GenerationOptions, settings: Settings) -> bool | None:
    """Return whether to paint large: as was asked for, or because a detail of it was typed, or as usual."""
    if typed.hires is not None or options.init is not None:
        return typed.hires
    if typed.hires_scale is not None or typed.denoise is not None:
        return True
    return settings.defaults.hires if options.hires is None else options.hires


def _expand_negative(
    name: str, text: str, seeds: Sequence[int], wildcards: Wildcards, limit: int
) -> list[tuple[str, ...]]:
    try:
        return expand(read_negative(text), seeds=seeds, wildcards=wildcards, limit=limit)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _joined(pictures: Iterable[GenerationRequest]) -> GenerationRequest:
    """Return the request of pictures that differ at most in their prompts."""
    first, *others = pictures
    if all((each.prompt, each.negative_prompt) == (first.prompt, first.negative_prompt) for each in others):
        return first
    prompts = [Prompts(prompt=each.prompt, negative_prompt=each.negative_prompt) for each in (first, *others)]
    return first.replace(prompts=tuple(prompts[: first.count]))


def _job_options(options: GenerationOptions, actor: Actor, made_from: JobOptions) -> JobOptions:
    """Return what is wanted besides pixels: a child of what is hidden is hidden; a direct message is private."""
    return replace(
        made_from,
        spoiler=made_from.spoiler or bool(options.spoiler),
        private=made_from.private or (bool(options.private) and (actor.outside or actor.guild_id is not None)),
    )
