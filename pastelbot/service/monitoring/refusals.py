"""Refusals: Discord's answers that say no, counted over the last minutes."""

import time
from collections import Counter, deque
from collections.abc import Callable

_WINDOW = 600.0  # seconds
_MOST_KEPT = 10_000
_REFUSED = frozenset({401, 403, 429})


class Refusals:
    """Counts answers with status 401, 403, 429 and 5xx; others are part of everyday work, such as 404."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._recent: deque[tuple[float, int]] = deque(maxlen=_MOST_KEPT)
        self.total = 0

    def note(self, status: int) -> None:
        """Note the status of an answer of Discord."""
        if status in _REFUSED or status >= 500:
            self.total += 1
            self._recent.append((self._monotonic(), status))

    def recent(self) -> Counter[int]:
        """Return how often each status came in the last ten minutes."""
        oldest = self._monotonic() - _WINDOW
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()
        return Counter(status for _at, status in self._recent)
