"""Executor: the dispatcher's interface to the process that paints."""

from collections.abc import Callable
from typing import Protocol

from pastelbot.records import Command, Event


class Executor(Protocol):
    """Takes commands, answers with events, and restarts what dies.

    Events arrive by calling `on_event` in the event loop's thread. Between a `WorkerLost` and the next `WorkerReady`
    nothing is painted and commands are dropped: the dispatcher sends the lost jobs again.
    """

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Begin; returns at once, `WorkerReady` follows when the worker can paint."""

    def send(self, command: Command) -> None:
        """Hand a command down; never blocks for long, never raises for a dead worker."""

    def restart(self, reason: str) -> None:
        """Kill a worker that does not answer; `WorkerLost` follows."""

    async def close(self) -> None:
        """End the worker and its listeners."""
