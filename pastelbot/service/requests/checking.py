"""Checked requests: the type of what the access policy and the limits allow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pastelbot.choices import upscaler_files
from pastelbot.config import Settings
from pastelbot.errors import LimitError
from pastelbot.formats.network_files import ModelNames
from pastelbot.options.tokens import count_tokens
from pastelbot.records import Actor, GenerationRequest, JobOptions
from pastelbot.rules import limits
from pastelbot.rules.content_filter import check_content
from pastelbot.service.access import AccessPolicy, EffectivePolicy


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

    def __init__(self, settings: Settings, access: AccessPolicy, models: ModelNames) -> None:
        self._settings = settings
        self._access = access
        self._models = models
        self._count_tokens = lru_cache(maxsize=1000)(count_tokens)  # negative prompts are nearly always the same

    async def check(
        self,
        actor: Actor,
        requests: Sequence[GenerationRequest],
        options: JobOptions,
        *,
        policy: EffectivePolicy | None = None,
    ) -> Checked:
        """Return the requests as checked for this user here; `policy` is what `authorize` has just said of them.

        The folders of LoRAs and upscalers are listed off the event loop, and once for all requests.
        """
        policy = policy or await self._access.authorize(actor)
        await asyncio.to_thread(self._check_all, requests, policy)
        waiting = policy.limits.waiting_per_user
        if len(requests) > waiting:
            raise LimitError(
                f"That would be {len(requests)} jobs, and you may have {waiting} queued: ask for fewer at once."
            )
        return Checked(actor=actor, policy=policy, requests=tuple(requests), options=options)

    async def for_direct_message(self, checked: Checked) -> Checked:
        """Return the same requests under what holds for results in a direct message, which is another place."""
        actor = self._access.in_messages(checked.actor)
        return checked if actor == checked.actor else await self.check(actor, checked.requests, checked.options)

    def _check_all(self, requests: Sequence[GenerationRequest], policy: EffectivePolicy) -> None:
        upscalers = upscaler_files(self._settings.checkpoint.upscalers)
        for request in requests:
            for one in limits.pictures_of(request, policy.limits):
                limits.check_request(one, policy.limits, upscaler_models=upscalers, models=self._models)
                limits.check_length(one, policy.limits, self._count_tokens)
                check_content(one, policy.content)
