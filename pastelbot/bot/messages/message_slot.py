"""Slot of one message: what it shows, what it should show next, and the one task that writes it.

States come faster than Discord takes edits, so a message is written by one task at a time, seldom, in its turn among
its channel's, and only with the newest state. What ends a job is written at once, and again until it could be.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

import structlog

from pastelbot.bot.messages.turns import Turn
from pastelbot.jobs.background import CallLater, call_later, spawn
from pastelbot.records import BeingPainted, Ended, InLine, Rendered, Update

log = structlog.get_logger(__name__)


class NotWrittenError(Exception):
    """A message could not be written for a reason outside the program; what ends a job is tried again."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds between two edits of a message, and between tries of a final state, which double up to the longest."""

    edit_seconds: float
    first_retry: float = 5.0
    longest_retry: float = 300.0


class MessageSlot:
    """One message's desired state.

    `show` writes a state; it returns when nothing more is to be done about it, False where that took no request of
    Discord, and raises where it should be tried again. `on_settled` is called after a final state was shown and nothing
    else is desired.

    A final state is never replaced by one that is not, nor the end of a job by its pictures. Before that the newest
    state wins, because a job whose worker died goes from painting back to the queue.
    """

    def __init__(
        self,
        show: Callable[["MessageSlot", Update], Awaitable[bool]],
        *,
        pace: Pace,
        turn: Turn,
        on_settled: Callable[[], None],
        later: CallLater = call_later,
    ) -> None:
        self._show = show
        self._turn = turn
        self._pace = pace
        self._later = later
        self._on_settled = on_settled
        self._lock = asyncio.Lock()
        self._next: Update | None = None
        self._reached = 0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._edited_at = self._retry_at = float("-inf")
        self._closed = self._asked = False
        self.failures = 0
        self.message_id: int | None = None
        self.is_searched = False  # the message was looked for in the channel
        self.is_unsure = False  # a message was sent, and whether Discord took it is not known
        self.is_forgotten = False  # the message is deleted with its job
        self.text = ""
        self.preview: bytes | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """Return the task that writes the message now, or None."""
        return None if self._task is None or self._task.done() else self._task

    def publish(self, update: Update) -> None:
        """Take a state to show; call it from the event loop's thread."""
        if _rank(update) < self._reached:
            return
        self._next, self._reached = update, _rank(update)
        self._turn.expect(_seconds_left(update))
        if is_final(update):
            self._retry_at = float("-inf")  # what is new need not wait for what failed
        self._schedule()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Let the caller alone write the message; what is published meanwhile is shown afterwards, in any case."""
        try:
            async with self._lock:
                yield
        finally:
            self._edited_at = monotonic()
            self._schedule()

    def close(self) -> None:
        """Show nothing more; what is being written is finished by `task`."""
        self._closed = True
        self._turn.leave()
        self._turn.expect(None)
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._closed or self._next is None or self._lock.locked():
            return
        if self._timer is not None:
            self._timer.cancel()
        due = self._retry_at if is_final(self._next) else self._edited_at + self._pace.edit_seconds
        pause = due - monotonic()
        if pause <= 0:
            self._start()
        else:
            self._timer = self._later(pause, self._start)

    def _start(self) -> None:
        if self._next is not None and is_final(self._next):
            self._turn.leave()
            self._begin()
        else:
            self._turn.ask(self._begin)

    def _begin(self) -> bool:
        """Write the newest state now; return False where there is nothing to write, or another writes."""
        if self._closed or self._next is None or self.task is not None or self._lock.locked():
            return False
        self._task = spawn(self._run())
        return True

    async def _run(self) -> None:
        async with self._lock:
            update, self._next = self._next, None
            written = update is not None and await self._edited(update)
        self._task = None
        if update is not None and written and is_final(update) and self._next is None:
            self._on_settled()
        self._schedule()

    async def _edited(self, update: Update) -> bool:
        self._turn.edit_begins()
        if is_final(update):
            self._turn.expect(None)  # it is here
        self._asked = True
        try:
            return await self._written(update)
        finally:
            self._edited_at = monotonic()
            self._turn.edit_ends(asked=self._asked)

    async def _written(self, update: Update) -> bool:
        """Show a state; return whether that is done. A final one is kept for another try, another is outdated soon."""
        try:
            self._asked = await self._show(self, update)
        except NotWrittenError as error:
            log.warning("message not written", job=update.job.id, update=type(update).__name__, error=str(error))
        except Exception:
            log.exception("unexpected error in writing a message", job=update.job.id)
        else:
            self.failures = 0
            return True
        if is_final(update):
            self._try_again(update)
        return False

    def _try_again(self, update: Update) -> None:
        self._next = self._next or update
        pause = min(self._pace.first_retry * 2**self.failures, self._pace.longest_retry)
        self.failures += 1
        self._retry_at = monotonic() + pause


def is_final(update: Update) -> bool:
    """Return whether nothing that is not final may replace this update."""
    return _rank(update) > 0


def _seconds_left(update: Update) -> float | None:
    """Return in how many seconds the end of the job is expected, as far as is known; None: not soon."""
    match update:
        case InLine():
            return None
        case BeingPainted(seconds_left=None):
            return 0.0 if 2 * update.step >= update.steps else None
        case BeingPainted():
            return update.seconds_left
        case Rendered() | Ended():
            return 0.0


def _rank(update: Update) -> int:
    match update:
        case InLine() | BeingPainted():
            return 0
        case Rendered():
            return 1
        case Ended():
            return 2
