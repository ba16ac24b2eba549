"""Description of pictures for `/describe`, with permission check and rate limit."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import structlog

from pastelbot.errors import LimitError, RequestError, TaggerError
from pastelbot.formats import pictures
from pastelbot.jobs.tagger.tagger_process import Describer
from pastelbot.records import Actor, Description
from pastelbot.service.access import AccessPolicy

_WINDOW = 60.0  # seconds
_WAITING = 4  # pictures of all users together: finished ones wait behind them for their rating

log = structlog.get_logger(__name__)


class Describing:
    """Asks the tagger; `describer` None is a tagger that is switched off."""

    def __init__(
        self,
        describer: Describer | None,
        access: AccessPolicy,
        *,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._describer = describer
        self._access = access
        self._per_minute = per_minute
        self._clock = clock
        self._asked: deque[tuple[float, int]] = deque()
        self._waiting = 0

    async def check(self, actor: Actor) -> None:
        """Raise RequestError where this person may not have a picture described here and now."""
        if self._describer is None:
            raise RequestError(
                "Describing pictures is switched off here. The bot's operator can switch it on: "
                "`enabled = true` under `[tagger]` in its configuration."
            )
        await self._access.authorize(actor)
        while self._asked and self._asked[0][0] <= self._clock() - _WINDOW:
            self._asked.popleft()
        if sum(user_id == actor.user_id for _when, user_id in self._asked) >= self._per_minute:
            raise LimitError(f"You can have {self._per_minute} pictures a minute described: wait a moment.")
        if self._waiting >= _WAITING:
            raise LimitError(f"{self._waiting} pictures are waiting to be described: try again in a moment.")

    async def describe(self, actor: Actor, content: bytes) -> Description:
        """Return what a picture file shows; raises RequestError."""
        await asyncio.to_thread(pictures.size_of, content, what="The picture")
        await self.check(actor)  # the last that is waited for before this one counts
        self._asked.append((self._clock(), actor.user_id))
        self._waiting += 1
        try:
            return await self._ask(content)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the tagger."""
        if self._describer is not None:
            await self._describer.close()

    async def _ask(self, content: bytes) -> Description:
        if self._describer is None:
            raise RequestError("Describing pictures is switched off here.")
        try:
            return await self._describer.describe(content)
        except TaggerError as error:
            log.warning("a picture was not described", reason=str(error))
            raise RequestError(
                "The picture cannot be described: the tagger does not work at the moment. "
                "The bot's operator finds the cause in its log."
            ) from error
