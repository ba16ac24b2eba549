"""Observer of the dispatcher: hears what becomes of jobs and of the worker, for metrics and alerts."""

import enum
from typing import Protocol

from pastelbot.records import WorkerLost


class Failure(enum.StrEnum):
    """Kinds of failed jobs."""

    REFUSED = "refused"  # the worker cannot paint the request
    WORKER_LOST = "worker_lost"  # the worker died twice with it
    START_PICTURE = "start_picture"  # the picture to start from is gone
    ERROR = "error"  # an unexpected error of the bot
    NOT_SHOWN = "not_shown"  # Discord does not take the picture, or a moderator rejected it


class Observer(Protocol):
    """Hears what happens, in the event loop; must neither raise nor take time. Seconds are monotonic ones."""

    def given_out(self, *, waited: float) -> None:
        """Hear that the worker got a job for the first time, so many seconds after it was queued."""

    def painted(self, *, seconds: float) -> None:
        """Hear that a job was painted, in so many seconds of the worker."""

    def failed(self, kind: Failure) -> None:
        """Hear that a job failed, and was refunded."""

    def worker_lost(self, event: WorkerLost) -> None:
        """Hear that the worker ended; another one is started."""


class NoObserver:
    """Hears nothing."""

    def given_out(self, *, waited: float) -> None:
        """Do nothing."""

    def painted(self, *, seconds: float) -> None:
        """Do nothing."""

    def failed(self, kind: Failure) -> None:
        """Do nothing."""

    def worker_lost(self, event: WorkerLost) -> None:
        """Do nothing."""
