"""An executor whose worker is one spawned child process with a pipe."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from pastelbot.config import WorkerOptions
from pastelbot.jobs import worker
from pastelbot.jobs.background import CallLater, call_later
from pastelbot.jobs.child_process import ChildProcess
from pastelbot.records import Command, Event, Load, Stop, WorkerLost, WorkerReady

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_PATIENCE = 3.0
_SIGKILL = 9  # Windows has no name for it
_TOLD_AFTER = 2  # failed starts, one after the other

log = structlog.get_logger(__name__)


class ProcessExecutor:
    """Starts the worker, listens to it from a thread, and starts another when it dies.

    The pause before a restart doubles (1 s to 60 s) until a worker becomes ready. `ended` is the reason of the end
    of a worker that gave none, in place of its process's exit code.
    """

    def __init__(
        self,
        options: WorkerOptions,
        *,
        target: worker.Target = worker.main,
        ended: str = "",
        first_pause: float = _FIRST_PAUSE,
        patience: float = _PATIENCE,
        later: CallLater = call_later,
    ) -> None:
        self._options = options
        self._target = target
        self._ended = ended
        self._first_pause, self._later = first_pause, later
        self._patience = min(patience, options.worker.stop_seconds / 3)
        self._child: ChildProcess | None = None
        self._on_event: Callable[[Event], None] = lambda _event: None
        self._pause = first_pause
        self._restart_reason: str | None = None
        self._interruption = ""  # what a worker that cannot start says to users
        self._failed_starts = 0  # one after the other
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._child.process.pid if self._child is not None else None

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Spawn the first worker."""
        self._on_event = on_event
        self._spawn()

    def send(self, command: Command) -> None:
        """Send down the pipe, whose breaking is noticed by the listener; a worker is always loaded."""
        if self._child is not None and not isinstance(command, Load):
            with suppress(OSError):
                self._child.connection.send(command)

    def restart(self, reason: str) -> None:
        """Kill the worker; the listener notices and another one starts."""
        if self._child is not None:
            self._restart_reason = reason
            self._child.kill()

    async def close(self) -> None:
        """Ask the worker to stop; after 3 s, or a third of `worker.stop_seconds`, it is killed."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        child = self._child
        if child is None:
            return
        self.send(Stop())
        await asyncio.get_running_loop().run_in_executor(None, child.reap, self._patience)
        self._release()

    def _spawn(self) -> None:
        child = self._child = ChildProcess(self._target, self._options, name="pastelbot-worker")
        loop = asyncio.get_running_loop()
        listener = threading.Thread(
            target=_listen, args=(child, loop, self._receive), name="pastelbot-listener", daemon=True
        )
        listener.start()

    def _receive(self, child: ChildProcess, event: Event | None) -> None:
        """Pass an event on; None says that the child has ended."""
        if self._closed or child is not self._child:
            return
        if isinstance(event, WorkerReady):
            self._pause = self._first_pause
            self._failed_starts = -1
        if isinstance(event, WorkerLost):
            self._restart_reason, self._interruption = event.reason, event.interruption  # the end of the pipe follows
            return
        if event is not None:
            self._on_event(event)
            return
        self._failed_starts += 1  # 0 after one that was ready
        detail = child.last_words(0)
        reason = (
            self._restart_reason or self._ended or f"the worker process ended with exit code {child.process.exitcode}"
        )
        interruption = ""
        if self._failed_starts >= _TOLD_AFTER:
            explained = self._restart_reason is not None
            interruption = self._interruption or _interruption(child.process.exitcode, detail, explained=explained)
        self._restart_reason, self._interruption = None, ""
        self._release()
        self._timer = self._later(self._pause, self._spawn)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._on_event(WorkerLost(reason=reason, detail=detail, interruption=interruption))

    def _release(self) -> None:
        if self._child is not None:
            self._child.connection.close()
        self._child = None


def _listen(
    child: ChildProcess, loop: asyncio.AbstractEventLoop, on_event: Callable[[ChildProcess, Event | None], None]
) -> None:
    """Carry events from the pipe to the event loop until either has ended."""
    while True:
        try:
            event = child.connection.recv()
        except (EOFError, OSError):
            event = None
            child.reap(1.0)  # one that hangs at its end would keep the device's memory
            child.last_words()
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(on_event, child, event)
        if event is None:
            return


def _interruption(exit_code: int | None, detail: str, *, explained: bool) -> str:
    """Say to users, who see no paths of the operator's, why the worker cannot start."""
    if explained:
        return "⚠️ Painting is interrupted: the checkpoint cannot be loaded."
    if "temporary directory" in detail:
        return "⚠️ Painting is interrupted: the worker has no folder for temporary files."
    if detail.startswith(("ImportError", "ModuleNotFoundError")):
        return "⚠️ Painting is interrupted: a part of the worker is not installed."
    if exit_code == -_SIGKILL:
        return "⚠️ Painting is interrupted: the worker is killed while it starts, perhaps for want of memory."
    return "⚠️ Painting is interrupted: the worker cannot start."
