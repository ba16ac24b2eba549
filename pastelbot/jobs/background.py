"""Background work that belongs to no request: tasks, timers, a mailbox.

Nothing here idles on a future: work starts when there is some and ends when it is done, so a program with an empty
queue has no task at all. Tasks and timers start in an empty context, because what a request carries (its log fields,
its interaction) must not leak into work that outlives it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

import structlog

from pastelbot.errors import StorageError

T = TypeVar("T")
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
CallLater = Callable[[float, Callable[[], object]], asyncio.TimerHandle]

log = structlog.get_logger(__name__)


def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task in an empty context."""
    return Context().run(asyncio.get_running_loop().create_task, work)


def call_later(seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Call back after that time, in an empty context."""
    return Context().run(asyncio.get_running_loop().call_later, seconds, callback)


async def finished(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait until tasks have ended; where this is cancelled, they are cancelled too, and end."""
    if not tasks:
        return
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise


async def finish_within(seconds: float, *work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at the same time, and cancel after so many seconds what is not done; errors are logged."""
    tasks = [asyncio.ensure_future(one) for one in work]
    _done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    if late:
        log.warning("not finished in time", seconds=seconds, work=sorted(_name(task) for task in late))
        await asyncio.wait(late, timeout=seconds / 10)
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            log.error("not finished", work=_name(task), exc_info=task.exception())


def _name(task: asyncio.Task[None]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))


class Mailbox(Generic[T]):
    """Items handled strictly one after the other, in the order in which they were put.

    An item that fails for reasons outside the program, a StorageError, is tried again until it succeeds (after 0.5 s,
    doubling to 30 s), and those behind it wait. Any other exception of the handler is logged and costs its item alone.
    """

    def __init__(self, handle: Callable[[T], Awaitable[None]], *, later: CallLater = call_later) -> None:
        self._handle = handle
        self._later = later
        self._items: deque[T] = deque()
        self._task: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._failures = 0
        self._closed = False

    def put(self, item: T) -> None:
        """Add an item; call it from the event loop's thread. A closed mailbox drops it."""
        if self._closed:
            return
        self._items.append(item)
        if self._retry is None and (self._task is None or self._task.done()):
            self._run_soon()

    async def close(self) -> None:
        """Drop what waits, and return when the item in hand is finished; where this is cancelled, that is too."""
        self._closed = True
        self._items.clear()
        self._cancel_retry()
        if self._task is not None and self._task is not asyncio.current_task():
            await finished([self._task])

    async def finish(self) -> None:
        """Take nothing more, and return when all that waits is handled, or was tried once more in vain."""
        self._closed = True
        if self._retry is not None:
            self._run_soon()
        if self._task is not None:
            await finished([self._task])

    async def _run(self) -> None:
        while self._items:
            item = self._items.popleft()
            try:
                await self._handle(item)
            except StorageError as error:
                if not self._closed:
                    self._postpone(item, error)
                    return
                log.warning("background work given up", item=type(item).__name__, reason=str(error))
            except Exception:
                log.exception("background work failed", item=type(item).__name__)
            self._failures = 0

    def _postpone(self, item: T, error: StorageError) -> None:
        """Put an item back to the front, and try again later."""
        self._items.appendleft(item)
        pause = min(_FIRST_PAUSE * 2 ** min(self._failures, 10), _LONGEST_PAUSE)
        self._failures += 1
        log.warning("background work waits", item=type(item).__name__, seconds=pause, reason=str(error))
        self._retry = self._later(pause, self._run_soon)

    def _run_soon(self) -> None:
        self._cancel_retry()
        self._task = spawn(self._run())

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


class Periodic:
    """Work done again and again: a timer between two rounds, and a task only while one is under way."""

    def __init__(self, work: Callable[[], Awaitable[None]], *, seconds: float) -> None:
        self._seconds = seconds
        self._mailbox: Mailbox[None] = Mailbox(lambda _item: work())
        self._timer: asyncio.TimerHandle | None = None

    def start(self, *, first: float) -> None:
        """Run the first round after so many seconds."""
        self._timer = call_later(first, self._tick)

    def wake(self) -> None:
        """Do a round now, or one more after that under way."""
        self._mailbox.put(None)

    async def close(self) -> None:
        """Return when the round under way is finished."""
        if self._timer is not None:
            self._timer.cancel()
        await self._mailbox.close()

    def _tick(self) -> None:
        self.wake()
        self._timer = call_later(self._seconds, self._tick)
