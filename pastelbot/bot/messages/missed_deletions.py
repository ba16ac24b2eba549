"""Deletions that the bot did not hear of: it looks up the messages of the pictures that it keeps, a few at a time."""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import discord
import structlog

from pastelbot.bot.responses import UNSENT
from pastelbot.jobs.background import CallLater, Mailbox, call_later
from pastelbot.records import ReplyTarget
from pastelbot.service.requests.submission import JobService
from pastelbot.store.key_values import KeyValueStore

_FIRST_SECONDS = 30.0
_SECONDS = 1.0  # between two messages: a fiftieth of what Discord allows
_RETRY_SECONDS = 60.0
_PAGE = 50
_NEWEST = 100
_UNKNOWN_CHANNEL = 10003
_UNKNOWN_MESSAGE = 10008
_SERVER_ERROR = 500
_POSITION = "missed-deletions"

log = structlog.get_logger(__name__)


class Forgetting(Protocol):
    """Deletes what was shown; `deletions.Deletions` is one."""

    def messages(self, message_ids: Iterable[int]) -> None:
        """Delete what these messages showed."""

    def channel(self, channel_id: int) -> None:
        """Delete what a channel or thread showed."""


@dataclass(kw_only=True)
class _Span:
    """Messages to look up: below `before` (None: the newest), down to a number, and `left` of them at most."""

    before: int | None = None
    down_to: int = 0
    left: int = sys.maxsize
    remembered: bool = False


class MissedDeletions:
    """Looks up each message of a kept picture once after every time that the bot was away.

    A round goes from the newest to the oldest. One that a restart interrupts goes on where it was, after the newest
    hundred, and then comes round to there: so each message has its turn however often the bot is restarted.
    """

    def __init__(
        self,
        client: discord.Client,
        jobs: JobService,
        key_values: KeyValueStore,
        deletions: Forgetting,
        *,
        later: CallLater = call_later,
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._key_values = key_values
        self._deletions = deletions
        self._later = later
        self._mailbox: Mailbox[None] = Mailbox(lambda _item: self._step())
        self._timer: object = None
        self._begun = False
        self._spans: deque[_Span] = deque()
        self._page: deque[ReplyTarget] = deque()
        self._again: ReplyTarget | None = None

    def start(self) -> None:
        """Begin a round, from the start where one is under way: the bot is back, and may have missed something."""
        self._begun = True
        self._wait(_FIRST_SECONDS)

    async def close(self) -> None:
        """Stop, and return when the message in hand was looked up."""
        self._stop_timer()
        await self._mailbox.close()

    def _wait(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._later(seconds, lambda: self._mailbox.put(None))

    def _stop_timer(self) -> None:
        cancel: Callable[[], object] | None = getattr(self._timer, "cancel", None)
        if cancel is not None:
            cancel()

    async def _step(self) -> None:
        """Look up one message; the next one follows after a pause, or the same where Discord does not answer."""
        if self._begun:
            self._begun, self._again = False, None
            await self._plan()
        target = self._again or await self._next()
        self._again = None
        if target is None:
            return
        try:
            await self._look_up(target)
        except UNSENT as error:
            log.info("a message was not looked up", message=target.message_id, error=str(error))
            self._again = target
        if not self._begun:  # else `start` has set the timer meanwhile
            self._wait(_RETRY_SECONDS if self._again is not None else _SECONDS)

    async def _look_up(self, target: ReplyTarget) -> None:
        """Delete what a message showed that is gone; raises what says that Discord cannot be asked now."""
        message_id = target.message_id or 0
        try:
            await self._client.get_partial_messageable(target.channel_id).fetch_message(message_id)
        except discord.HTTPException as error:
            if error.status >= _SERVER_ERROR:
                raise
            if error.code == _UNKNOWN_MESSAGE:
                log.info("a message was deleted while the bot was away", message=message_id)
                self._deletions.messages([message_id])
            elif error.code == _UNKNOWN_CHANNEL:
                log.info("a channel was deleted while the bot was away", channel=target.channel_id)
                self._deletions.channel(target.channel_id)

    async def _next(self) -> ReplyTarget | None:
        """Return the next message of the round, and remember how far it is; None at its end."""
        while self._spans:
            span = self._spans[0]
            if not self._page:
                if span.remembered and span.before is not None:
                    await self._key_values.set(_POSITION, str(span.before))
                self._page = deque(await self._jobs.kept_messages(span.before, limit=min(_PAGE, span.left)))
            target = self._page.popleft() if self._page else None
            if target is not None and (target.message_id or 0) >= span.down_to:
                span.before, span.left = target.message_id, span.left - 1
                return target
            self._spans.popleft()
            self._page.clear()
        await self._key_values.set(_POSITION, "")
        return None

    async def _plan(self) -> None:
        """Begin the spans of a new round."""
        kept = await self._key_values.get(_POSITION)
        position = int(kept) if kept else 0
        self._page.clear()
        self._spans = deque([_Span(down_to=position, remembered=True)])
        if position:
            self._spans.extendleft([_Span(before=position, remembered=True), _Span(down_to=position, left=_NEWEST)])
