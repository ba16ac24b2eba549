"""Checked requests: the type of what the access policy and the limits allow."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pastelbot.choices import upscaler_files
from pastelbot.config import Settings
from pastelbot.errors import LimitError
from pastelbot.formats import init_pictures
from pastelbot.formats.inpainting.mask_files import mask_content, with_mask_inside
from pastelbot.formats.network_files import ModelNames
from pastelbot.formats.resizing import Size
from pastelbot.options.tokens import count_tokens
from pastelbot.prompt.parsing import PromptParser
from pastelbot.records import Actor, GenerationRequest, InitImage, JobOptions
from pastelbot.rules import limits
from pastelbot.rules.content_filter import check_content
from pastelbot.service.access import AccessPolicy, EffectivePolicy
from pastelbot.store.picture_files import PictureFiles


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Requests, a job for each, that were checked for one user in one place. Nothing else can be submitted.

    Only RequestChecker makes them. `policy` is what held for the actor when the requests were checked, `options` is
    what is wanted besides their pixels.
    """

    actor: Actor
    policy: EffectivePolicy
    requests: tuple[GenerationRequest, ...]
    options: JobOptions

    def shown(self, *, locale: str, home_channel_id: int | None = None) -> "Checked":
        """Return the same with the language of its messages and, for a direct message, the channel it came from."""
        home_channel_id = home_channel_id or self.options.home_channel_id
        return replace(self, options=replace(self.options, locale=locale, home_channel_id=home_channel_id))


class RequestChecker:
    """Checks requests for an actor. Every error is a RequestError, and nothing was charged then."""

    def __init__(
        self,
        settings: Settings,
        access: AccessPolicy,
        models: ModelNames,
        files: PictureFiles,
        *,
        new_parser: Callable[[], PromptParser] = PromptParser,
    ) -> None:
        self._settings = settings
        self._access = access
        self._models = models
        self._files = files
        self._preparing = asyncio.Semaphore(1)  # a large picture takes some 400 MB while it is scaled down
        self._new_parser = new_parser

    async def check(
        self,
        actor: Actor,
        requests: Sequence[GenerationRequest],
        options: JobOptions,
        *,
        policy: EffectivePolicy | None = None,
    ) -> Checked:
        """Return the requests as checked for this user here; `policy` is what `authorize` has just said of them.

        The folders of LoRAs and upscalers are listed off the event loop, and once for all requests. A picture to start
        from is read where only its name is known, and scaled down to what is painted.
        """
        policy = policy or await self._access.authorize(actor)
        requests = [await self._files.with_init(request) for request in requests]
        await asyncio.to_thread(self._check_all, requests, policy)
        waiting = policy.limits.waiting_per_user
        if len(requests) > waiting:
            raise LimitError(
                f"That would be {len(requests)} jobs, and you may have {waiting} queued: ask for fewer at once."
            )
        if any(request.init is not None for request in requests):
            async with self._preparing:
                requests = await asyncio.to_thread(_prepared, requests)
        return Checked(actor=actor, policy=policy, requests=tuple(requests), options=options)

    async def for_direct_message(self, checked: Checked) -> Checked:
        """Return the same requests under what holds for results in a direct message, which is another place."""
        actor = self._access.in_messages(checked.actor)
        return checked if actor == checked.actor else await self.check(actor, checked.requests, checked.options)

    def _check_all(self, requests: Sequence[GenerationRequest], policy: EffectivePolicy) -> None:
        parser = self._new_parser()
        upscalers = upscaler_files(self._settings.checkpoint.upscalers)
        for request in requests:
            pictures = limits.pictures_of(request, policy.limits)
            for one in _with_different_prompts(pictures):
                limits.check_prompts(one, policy.limits, models=self._models, parser=parser)
                limits.check_length(one, policy.limits, lambda prompt: count_tokens(prompt, parser))
            for one in pictures:
                limits.check_settings(one, policy.limits, upscaler_models=upscalers, models=self._models)
            check_content(request, policy.content, parser)


def _prepared(requests: Sequence[GenerationRequest]) -> list[GenerationRequest]:
    """Return the requests with the pictures to keep; requests that start from the same one share it."""
    prepared = lru_cache(maxsize=1)(_kept)
    return [
        request.replace(init=prepared(request.init, (request.width, request.height))) if request.init else request
        for request in requests
    ]


def _kept(init: InitImage, size: Size) -> InitImage:
    """Return a picture to start from as it is kept: of the size that is needed, its mask inside of its file."""
    if init.mask is None:
        return init_pictures.prepared(init, size)
    masked = replace(init, mask=replace(init.mask, content=mask_content(init, init.mask)))
    prepared = init_pictures.prepared(masked, size)
    return with_mask_inside(prepared, max(size[0] * size[1], prepared.width * prepared.height))


def _with_different_prompts(pictures: Sequence[GenerationRequest]) -> Iterable[GenerationRequest]:
    """Return the first picture of a grid for each of its prompts, so that no prompt is checked once for each cell."""
    found: dict[object, GenerationRequest] = {}
    for one in pictures:
        hires = one.hires and (one.hires.prompt, one.hires.negative_prompt)
        found.setdefault((one.prompt, one.negative_prompt, hires), one)
    return found.values()
