"""Watchdog of the event loop: a thread that notices when the loop does not come round, and logs what holds it up."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog

from pastelbot.jobs.background import call_later

_STALL_SECONDS = 0.25
_MOST_FRAMES = 12

log = structlog.get_logger(__name__)


class LoopWatchdog:
    """Logs each stall of the loop that is longer than `seconds`, with the stack of the loop's thread, and counts them.

    A timer of the loop sets the heartbeat, and the thread looks at it, both a few times in that time; neither keeps
    the program from ending. Nothing is logged twice, and the whole length of a stall when it is over. A computer
    that slept, or that gave the program no time, stalls the loop too.
    """

    def __init__(self, *, seconds: float = _STALL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._beat_at = 0.0
        self._overdue: float | None = None  # the heartbeat that is known to be too long ago
        self._ended = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None
        self.stalls = 0
        self.stalled_seconds = 0.0

    def start(self) -> None:
        """Watch the loop that is running; its thread is the one that calls this."""
        self._beat()
        self._thread = threading.Thread(
            target=self._watch,
            args=(asyncio.get_running_loop(), threading.get_ident()),
            name="pastelbot-watchdog",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, and return when the thread has ended."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        """Set the heartbeat; called by the loop, so it is late by as much as the loop stalls."""
        now = self._clock()
        if self._overdue == self._beat_at:
            self.stalled_seconds += now - self._beat_at
            log.warning("the event loop goes on", stalled_seconds=round(now - self._beat_at, 2))
        self._beat_at = now
        self._timer = call_later(self._seconds / 4, self._beat)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        while not self._ended.wait(self._seconds / 4) and not loop.is_closed():
            beat_at = self._beat_at
            late = self._clock() - beat_at
            if late > self._seconds and self._overdue != beat_at:
                self._overdue = beat_at
                self.stalls += 1
                log.warning("the event loop stalls", seconds=round(late, 2), stack=_stack_of(thread_id))


def _stack_of(thread_id: int) -> str:
    """Return what a thread is doing, the innermost call last."""
    frame = sys._current_frames().get(thread_id)  # noqa: SLF001 - the documented way to see another thread's stack
    return "".join(traceback.format_stack(frame)[-_MOST_FRAMES:]) if frame is not None else ""
