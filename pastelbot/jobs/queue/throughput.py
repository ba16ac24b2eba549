"""Throughput of the worker: measured seconds per work, for estimated times of completion."""

import json
import math
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from pastelbot.errors import StoreError

_FADE = 0.9  # how much of what was measured before still counts after each job
_NAME = "pace"
_KEPT_EVERY = 10.0  # seconds: each time waits for the disk

log = structlog.get_logger(__name__)


class KeyValues(Protocol):
    """Storage of the throughput over a restart; `pastelbot.store.key_values.KeyValueStore` is one."""

    async def get(self, name: str) -> str | None:
        """Return the text under that name."""

    async def set(self, name: str, value: str) -> None:
        """Keep the text under that name."""


class Throughput:
    """Seconds that the worker was busy, and the work that came of it; newer jobs count more.

    It is measured for the worker as a whole, as jobs that are painted together share the time, and with each step, as
    work that several jobs did together must not wait for one of them to end.
    """

    def __init__(self, key_values: KeyValues | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._notes = key_values
        self._monotonic = monotonic
        self._kept_at = -math.inf
        self._seconds = 0.0
        self._work = 0.0
        self._pending = 0.0
        self._pending_work = 0.0

    async def load(self) -> None:
        """Load what an earlier process measured."""
        text = await self._notes.get(_NAME) if self._notes is not None else None
        if text is not None:
            self._seconds, self._work = json.loads(text)

    def busy(self, seconds: float) -> None:
        """Count time in which something was painted."""
        self._pending += max(0.0, seconds)

    def worked(self, work: float) -> None:
        """Count work that was done by a step."""
        self._pending_work += max(0.0, work)

    def idle(self) -> None:
        """Drop time and work since the last job ended: a worker died."""
        self._pending = self._pending_work = 0.0

    def done(self, work: float) -> None:
        """Count the end of a job, with what it did since its last step."""
        self._seconds = self._seconds * _FADE + self._pending
        self._work = self._work * _FADE + self._pending_work + work
        self._pending = self._pending_work = 0.0

    async def save(self) -> None:
        """Keep what was measured, every ten seconds at most; what cannot be kept now is kept after the next job."""
        if self._notes is None or self._monotonic() < self._kept_at + _KEPT_EVERY:
            return
        try:
            await self._notes.set(_NAME, json.dumps([self._seconds, self._work]))
        except StoreError as error:
            log.warning("the throughput was not kept", reason=str(error))
        else:
            self._kept_at = self._monotonic()

    def seconds_for(self, work: float) -> float | None:
        """Return how long so much work takes; None where nothing was measured yet."""
        if not self._seconds or not self._work:
            return None
        return work * self._seconds / self._work
