"""Alerts for the operator: at most one of each kind in a time, over restarts too, and never the same one twice."""

import enum
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pastelbot.errors import StoreError

_MOST_TRIES = 3


class AlertKind(enum.StrEnum):
    """What alerts are about."""

    WORKER = "worker"
    DISK = "disk"
    DATABASE = "database"
    SIZE = "size"
    DISCORD = "discord"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What happened, in a few words, and a sentence with what to do."""

    kind: AlertKind
    title: str
    text: str


class Notes(Protocol):
    """Remembers texts over restarts; `store.key_values.KeyValueStore` does."""

    async def get(self, name: str) -> str | None:
        """Return what is kept under a name."""

    async def set(self, name: str, value: str) -> None:
        """Keep a text under a name."""


Send = Callable[[Alert, str], Awaitable[bool]]


class Alerts:
    """Sends alerts; after one of a kind it is quiet for `quiet_seconds`, about the database's size for 24 times that.

    What is sent is noted before, so a kill in between costs the alert, and doubles none. Where the database cannot
    take the note, memory does. An alert that Discord has not taken is sent again when it is next offered, three times
    in all, with the same nonce, by which Discord knows it for some minutes.
    """

    def __init__(self, notes: Notes, *, clock: Callable[[], datetime], quiet_seconds: float) -> None:
        self._notes = notes
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        self._sent_at: dict[AlertKind, float] = {}
        self._nonces: dict[AlertKind, str] = {}
        self._tries: Counter[AlertKind] = Counter()
        self.send: Send | None = None

    async def offer(self, alert: Alert) -> bool:
        """Send an alert unless its kind is quiet; return whether it was sent."""
        now = self._clock().timestamp()
        if self.send is None or await self._is_quiet(alert.kind, now):
            return False
        nonce = self._nonces.setdefault(alert.kind, f"{alert.kind}-{now:.0f}")
        with suppress(StoreError):
            await self._notes.set(_note(alert.kind), str(now))
        sent = await self.send(alert, nonce)
        self._tries[alert.kind] += 1
        if sent or self._tries[alert.kind] == _MOST_TRIES:
            self._sent_at[alert.kind] = now
            del self._nonces[alert.kind], self._tries[alert.kind]
        return sent

    async def _is_quiet(self, kind: AlertKind, now: float) -> bool:
        """Return whether one of the kind was sent lately; a wall clock that was set back silences nothing."""
        if kind in self._nonces:
            return False
        if kind not in self._sent_at:
            self._sent_at[kind] = await self._last_time(kind)
        quiet = self._quiet_seconds * (24 if kind is AlertKind.SIZE else 1)
        return 0 <= now - self._sent_at[kind] < quiet

    async def _last_time(self, kind: AlertKind) -> float:
        with suppress(StoreError):
            return float(await self._notes.get(_note(kind)) or "-inf")
        return float("-inf")


def _note(kind: AlertKind) -> str:
    return f"alert {kind}"
