"""From what a person typed to the requests that it means here: flags, presets, settings, permutations, caps."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pastelbot.config import Settings
from pastelbot.errors import LimitError, PromptError, RequestError
from pastelbot.options import Wish, amend, draft
from pastelbot.options.clamping import clamp
from pastelbot.options.flags import wish_from_prompt
from pastelbot.options.reading import read_negative
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt.expansion import Wildcards, expand
from pastelbot.records import Asker, GenerationRequest, JobOptions
from pastelbot.service.access import House
from pastelbot.service.requests.preferences import Customs, Preferences
from pastelbot.service.requests.presets import Presets
from pastelbot.service.requests.submission import Service

_NEGATIVE_PICKS = 2**40  # other numbers than the prompt's, or both would always pick alike


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What is to be painted: a job for each request, and what is wanted besides their pixels."""

    requests: tuple[GenerationRequest, ...]
    options: JobOptions


class Composer:
    """Completes what people type with everything that was set before, and checks it."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        house: House,
        preferences: Preferences,
        presets: Presets,
        *,
        random_seed: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._service = service
        self._house = house
        self._preferences = preferences
        self._presets = presets
        self._random_seed = random_seed

    async def compose(self, asker: Asker, options: Wish, made_from: JobOptions | None = None) -> Composed:
        """Return the checked requests that a command's options mean; raises RequestError.

        An option counts more than a flag in the prompt, and both more than a preset, which counts more than what the
        person, the channel and the server have set. `made_from` are the options of a job that this one is a child of.
        """
        typed = _with_flags(options)
        customs = await self._preferences.customs(asker)
        preset = await self._preset(asker, typed)
        usual = preset.over(customs.merged)
        wish = typed.over(_without_hires(usual) if typed.init is not None else usual)
        if not (wish.prompt or "").strip():
            raise PromptError("The prompt is empty: write what to paint, for example `1girl, red hair, smile`.")
        settings = await self._capped(asker)
        wish = wish.replace(hires=_wants_hires(typed, wish, settings), seed=self._seed(wish))
        requests = []
        for each in await self._expanded(wish, settings):
            dressed = each.replace(prompt=dress(each, customs, self._settings.prompts.style))
            request = draft(dressed, settings, random_seed=self._random_seed)
            requests.append(clamp(request, settings.limits, typed))
        return await self._checked(asker, requests, _job_options(wish, asker, made_from or JobOptions()))

    async def change(self, asker: Asker, base: GenerationRequest, typed: Wish, options: JobOptions) -> Composed:
        """Return the checked requests that another request becomes with what was typed; raises RequestError.

        Presets and flags work in the typed prompt; what the server and people have set does not count again.
        """
        typed = _with_flags(typed)
        wish = typed.over(await self._preset(asker, typed))
        wish = wish.replace(seed=self._seed(wish) if wish.seed is not None else None)
        settings = await self._capped(asker)
        requests = []
        for each in await self._expanded(wish.replace(seed=base.seed) if wish.seed is None else wish, settings):
            dressed = each.replace(prompt=_with_style(each, self._settings.prompts.style))
            requests.append(amend(base, dressed, settings, random_seed=self._random_seed))
        return await self._checked(asker, requests, _job_options(wish, asker, options))

    async def usual_options(self, asker: Asker, made_from: JobOptions | None = None) -> JobOptions:
        """Return what is wanted besides pixels of somebody here who types no settings, as an infotext has them all."""
        customs = await self._preferences.customs(asker)
        return _job_options(customs.merged, asker, made_from or JobOptions())

    async def check_defaults(self, asker: Asker, wish: Wish) -> None:
        """Raise RequestError where a wish could not be painted here with any prompt."""
        settings = await self._capped(asker)
        asked = wish.replace(prompt=wish.prompt or "1girl", seed=self._seed(wish))
        for each in await self._expanded(asked, settings):
            request = draft(each.replace(hires=_wants_hires(each, each, settings)), settings, random_seed=int)
            typed_hires = wish.hires or wish.hires_scale is not None
            await self._service.check(asker, request if typed_hires else clamp(request, settings.limits, each))

    async def _preset(self, asker: Asker, typed: Wish) -> Wish:
        if typed.preset is None:
            return Wish()
        return Wish.of((await self._presets.find(asker, typed.preset)).values)

    async def _capped(self, asker: Asker) -> Settings:
        """Return the settings with the caps that hold for this person here; raises where nothing may be asked."""
        terms = await self._house.terms(asker)
        return self._settings.model_copy(update={"limits": terms.limits})

    def _seed(self, wish: Wish) -> int:
        return self._random_seed() if wish.seed is None or wish.seed == -1 else wish.seed

    async def _expanded(self, wish: Wish, settings: Settings) -> list[Wish]:
        """Return a wish for each combination of what stands in braces; all have the same seed."""
        limits, seed = settings.limits, wish.seed or 0
        wildcards = await self._wildcards(wish)
        prompts = expand(wish.prompt or "", seed=seed, wildcards=wildcards, limit=limits.max_combinations)
        negatives: Sequence[str | None] = [None]
        if wish.negative is not None:
            negatives = _expand_negative("negative prompt", wish.negative, seed, wildcards, limits.max_combinations)
        avoided: Sequence[str | None] = [None]
        if wish.avoid is not None:
            avoided = _expand_negative("flag --no", wish.avoid, seed, wildcards, limits.max_combinations)
        count = len(prompts) * len(negatives) * len(avoided)
        if count > limits.max_combinations:
            raise LimitError(
                f"The braces make {count:,} different prompts; the limit is {limits.max_combinations}. "
                "Leave some of them out."
            )
        prompted: Sequence[str | None] = prompts if wish.prompt is not None else [None]
        return [
            wish.replace(prompt=prompt, negative=negative, avoid=avoid)
            for prompt, negative, avoid in itertools.product(prompted, negatives, avoided)
        ]

    async def _wildcards(self, wish: Wish) -> Wildcards:
        """Read the lists anew each time, as operators change them while the bot runs; only where one may be named."""
        if not any("__" in (text or "") for text in (wish.prompt, wish.negative, wish.avoid)):
            return Wildcards({})
        return await asyncio.to_thread(load_wildcards, self._settings.prompts.wildcards)

    async def _checked(self, asker: Asker, requests: list[GenerationRequest], options: JobOptions) -> Composed:
        for request in requests:
            await self._service.check(asker, request)
        waiting = (await self._house.terms(asker)).limits.waiting_per_user
        if len(requests) > waiting:
            raise LimitError(
                f"That would be {len(requests)} jobs, and you may have {waiting} in line: ask for fewer at once."
            )
        return Composed(requests=tuple(requests), options=options)


def dress(wish: Wish, customs: Customs, style: str) -> str:
    """Return the prompt with all that goes around it: the style, the server's prefix and suffix, and LoRAs."""
    prompt = _surrounded(wish.prompt or "", customs.prefix, customs.suffix)
    return _with_style(wish.replace(prompt=prompt), style) or ""


def _surrounded(prompt: str, prefix: str, suffix: str) -> str:
    """Put the server's texts around a prompt that does not have them yet."""
    before = "" if not prefix or prompt.startswith(prefix) else prefix
    after = "" if not suffix or prompt.endswith(suffix) else suffix
    return ", ".join(
        part.strip().strip(",").strip() if part is not prompt else part for part in (before, prompt, after) if part
    )


def _with_style(wish: Wish, style: str) -> str | None:
    prompt = wish.prompt
    if prompt is None and (wish.lora or wish.style):
        raise RequestError("A LoRA or a style goes with a prompt: write one.")
    if prompt is not None and wish.style and style and not prompt.startswith(style):
        prompt = f"{style}, {prompt}"
    if prompt is not None and wish.lora:
        prompt = f"{prompt} {_lora_tag(wish.lora)}"
    return prompt


def _lora_tag(text: str) -> str:
    """Write "soft" as `<lora:soft:1>`, and "soft:0.8" with its weight."""
    name, _, weight = text.strip().removeprefix("<lora:").removesuffix(">").partition(":")
    if not name.strip() or ">" in name:
        raise RequestError(f"{text[:60]!r} is no name of a LoRA: choose one from the list, or leave it out.")
    return f"<lora:{name.strip()}:{weight.strip() or '1'}>"


def _with_flags(options: Wish) -> Wish:
    """Return what was typed, in the prompt too; an option counts more than a flag."""
    if options.prompt is None:
        return options
    flags = wish_from_prompt(options.prompt)
    return Wish.of({**flags.known(), **options.known(), "prompt": flags.prompt})


def _without_hires(usual: Wish) -> Wish:
    """Leave out what does not go with a picture to start from, which brings its own size."""
    return usual.replace(
        size=None,
        aspect=None,
        hires=None,
        hires_scale=None,
        hires_size=None,
        hires_steps=None,
        hires_upscaler=None,
        denoise=None,
    )


def _wants_hires(typed: Wish, wish: Wish, settings: Settings) -> bool | None:
    """Tell whether to paint large: as was asked for, or because a detail of it was typed, or as usual."""
    if typed.hires is not None or wish.init is not None:
        return typed.hires
    if typed.hires_scale is not None or typed.denoise is not None:
        return True
    return settings.defaults.hires if wish.hires is None else wish.hires


def _expand_negative(name: str, text: str, seed: int, wildcards: Wildcards, limit: int) -> list[str]:
    try:
        return expand(read_negative(text), seed=seed + _NEGATIVE_PICKS, wildcards=wildcards, limit=limit)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _job_options(wish: Wish, asker: Asker, made_from: JobOptions) -> JobOptions:
    """Return what is wanted besides pixels: a child of what is hidden is hidden; a direct message is private."""
    return replace(
        made_from,
        spoiler=made_from.spoiler or bool(wish.spoiler),
        private=made_from.private or (bool(wish.private) and asker.guild_id is not None),
    )
