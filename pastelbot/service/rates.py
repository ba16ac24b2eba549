"""Rates: how many commands, buttons and completions of one user are answered in a minute, each of them once."""

import enum
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError

_MINUTE = 60.0  # seconds
_MOST_BUCKETS = 10_000
_MOST_HEARD = 10_000  # interactions: those of minutes, where Discord repeats those of seconds


class Kind(enum.StrEnum):
    """What is counted, each by itself."""

    COMMAND = "commands"
    BUTTON = "buttons"
    COMPLETION = "completions"


class Rates:
    """A token bucket for each user and kind: full at first, and filled evenly within a minute.

    `clock` is monotonic, in seconds. Of more than `most` buckets the ones used least lately are forgotten; a bucket
    that was not used for a minute is full, so that no user gains by it unless so many are there at once.
    """

    def __init__(
        self, limits: LimitSettings, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST_BUCKETS
    ) -> None:
        self._per_minute: Mapping[Kind, int] = {
            Kind.COMMAND: limits.commands_per_minute,
            Kind.BUTTON: limits.buttons_per_minute,
            Kind.COMPLETION: limits.completions_per_minute,
        }
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[tuple[Kind, int], tuple[float, float]] = OrderedDict()
        self._heard: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of buckets that are remembered."""
        return len(self._buckets)

    def is_new(self, interaction_id: int) -> bool:
        """Return whether an interaction is heard for the first time, and remember it."""
        if interaction_id in self._heard:
            return False
        self._heard[interaction_id] = None
        if len(self._heard) > _MOST_HEARD:
            self._heard.popitem(last=False)
        return True

    def spend(self, user_id: int, kind: Kind) -> None:
        """Count one command, button or completion of a user; raises LimitError with the time until the next."""
        per_minute, now = self._per_minute[kind], self._clock()
        left, at = self._buckets.pop((kind, user_id), (float(per_minute), now))
        left = min(float(per_minute), left + (now - at) * per_minute / _MINUTE)
        allowed = left >= 1
        self._buckets[kind, user_id] = (left - allowed, now)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if not allowed:
            seconds = max(1, math.ceil((1 - left) * _MINUTE / per_minute))
            raise LimitError(_refusal(kind, per_minute, seconds))


def _refusal(kind: Kind, per_minute: int, seconds: int) -> str:
    match kind:
        case Kind.COMMAND:
            return f"This bot takes {per_minute:,} commands a minute from you: try again in {seconds} s."
        case Kind.BUTTON:
            return f"This bot takes {per_minute:,} buttons a minute from you: try again in {seconds} s."
        case Kind.COMPLETION:
            return f"This bot takes {per_minute:,} completions a minute from you: try again in {seconds} s."
