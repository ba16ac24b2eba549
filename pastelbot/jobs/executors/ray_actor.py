"""Ray actor: the worker inside a process of a Ray cluster. Imports neither Ray nor torch by itself."""

import os
import traceback
from multiprocessing import Pipe
from threading import Thread

from pastelbot import __version__
from pastelbot.config import WorkerOptions
from pastelbot.jobs import worker
from pastelbot.records import Command, Event

_PATIENCE = 1.0  # seconds for which one question for events waits


class PaintingActor:
    """Runs the worker in a thread, and hands commands and events through. Ray calls two methods at the same time."""

    def __init__(self, target: worker.Target = worker.main) -> None:
        self._target = target
        self._connection, self._theirs = Pipe()
        self._thread: Thread | None = None

    def about(self) -> str:
        """Return the version of Pastelbot on this machine."""
        return __version__

    def begin(self, options: WorkerOptions) -> None:
        """Start the worker."""
        self._thread = Thread(target=self._work, args=(options,), name="pastelbot-worker", daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        """Hand a command to the worker."""
        self._connection.send(command)

    def events(self) -> list[Event]:
        """Return what the worker has reported, waiting a second for it."""
        found: list[Event] = []
        patience = _PATIENCE
        while self._connection.poll(patience):
            found.append(self._connection.recv())
            patience = 0
        return found

    def _work(self, options: WorkerOptions) -> None:
        """Run the worker; where it fails unexpectedly, the state of the device is unknown, and the process ends."""
        stopped = False
        try:
            self._target(self._theirs, options)
            stopped = True
        finally:
            if not stopped:
                traceback.print_exc()
                os._exit(1)
        self._theirs.close()
