"""Unloading executor: ends the worker after a while without jobs, which frees all of its memory."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from pastelbot.jobs.background import CallLater, call_later, spawn
from pastelbot.jobs.executor import Executor
from pastelbot.records import (
    Cancel,
    Command,
    Event,
    Load,
    Paint,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    WorkerLost,
    WorkerReady,
    WorkerUnloaded,
)

log = structlog.get_logger(__name__)


class UnloadingExecutor:
    """Another executor, made anew for each load, that ends after `idle_seconds` without a job and starts with `Load`.

    A job that is sent while there is none is kept, and starts one too: that happens only where it was given out at the
    very moment of the unloading.
    """

    def __init__(self, make: Callable[[], Executor], *, idle_seconds: float, later: CallLater = call_later) -> None:
        self._make = make
        self._idle_seconds = idle_seconds
        self._later = later
        self._on_event: Callable[[Event], None] = lambda _event: None
        self._worker: Executor | None = None
        self._ending: asyncio.Task[None] | None = None
        self._jobs: set[str] = set()
        self._kept: dict[str, Paint] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return getattr(self._worker, "pid", None)

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Load at once, so that what is wrong with it is seen at the start."""
        self._on_event = on_event
        self._load()

    def send(self, command: Command) -> None:
        """Hand a command down; `Load` and jobs start the worker where there is none."""
        match command:
            case Load():
                self._load()
            case Paint() if self._worker is None or self._kept:
                self._kept[command.job_id] = command
                self._load()
            case Cancel(job_id=job_id) if job_id in self._kept:
                del self._kept[job_id]
                self._on_event(PaintingCancelled(job_id=job_id))
            case _:
                self._hand_down(command)

    def restart(self, reason: str) -> None:
        """Restart the worker, where there is one."""
        if self._worker is not None:
            self._worker.restart(reason)

    async def close(self) -> None:
        """End the worker, and wait for one that is ending."""
        self._closed = True
        self._stop_timer()
        if self._ending is not None:
            await self._ending
        if self._worker is not None:
            await self._worker.close()

    def _hand_down(self, command: Command) -> None:
        if isinstance(command, Paint):
            self._jobs.add(command.job_id)
            self._stop_timer()
        if self._worker is not None:
            self._worker.send(command)

    def _load(self) -> None:
        """Start a worker where there is none; not before the last one has given its memory back."""
        if self._worker is not None or self._closed:
            return
        self._worker = self._make()
        if self._ending is None or self._ending.done():
            self._begin()
        else:
            self._ending.add_done_callback(lambda _ended: self._begin())

    def _begin(self) -> None:
        if self._worker is not None and not self._closed:
            self._worker.start(partial(self._receive, self._worker))

    def _receive(self, worker: Executor, event: Event) -> None:
        if worker is not self._worker:
            return
        match event:
            case WorkerLost():
                self._jobs.clear()
                self._kept.clear()
                self._stop_timer()
            case Painted() | PaintingFailed() | PaintingCancelled():
                self._jobs.discard(event.job_id)
        self._on_event(event)
        if isinstance(event, WorkerReady):
            self._paint_kept()
        if isinstance(event, WorkerReady | Painted | PaintingFailed | PaintingCancelled) and not self._jobs:
            self._stop_timer()
            self._timer = self._later(self._idle_seconds, self._unload)

    def _paint_kept(self) -> None:
        kept, self._kept = self._kept, {}
        for command in kept.values():
            self._hand_down(command)

    def _unload(self) -> None:
        if self._worker is None or self._jobs:
            return
        log.info("worker unloaded", idle_seconds=self._idle_seconds)
        worker, self._worker = self._worker, None
        self._ending = spawn(worker.close())
        self._on_event(WorkerUnloaded())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
