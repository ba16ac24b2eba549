"""Painting clock: how long the worker has painted and been silent, by the monotonic clock; the wall clock may jump."""

from collections.abc import Callable


class PaintingClock:
    """Times of the worker and of the queue, in seconds. `epoch` is the present in seconds since 1970."""

    def __init__(self, *, epoch: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        now = monotonic()
        self._epoch = epoch - now
        self._last_report_at = self._counted_at = self._looked_at = now

    def steady(self) -> float:
        """Return the seconds since 1970 without the jumps of the wall clock: ranks live by it."""
        return self._epoch + self._monotonic()

    def not_after_now(self, at: float) -> float:
        """Return that time, or the present if it is in the future, which it was only for a wall clock that jumped."""
        return min(at, self.steady())

    def begin(self) -> None:
        """Note that the worker, which had nothing to paint, now has."""
        self._last_report_at = self._counted_at = self._monotonic()

    def hear(self) -> None:
        """Note that the worker sent something."""
        self._last_report_at = self._monotonic()

    def count(self) -> float:
        """Return the seconds since the last call."""
        since, self._counted_at = self._counted_at, self._monotonic()
        return self._counted_at - since

    def look(self, *, every: float) -> float:
        """Return for how long the worker has been silent; to be called `every` so many seconds.

        For what a call is late, this process stood still and could hear nothing: that is not the worker's silence.
        """
        now = self._monotonic()
        late = max(0.0, now - self._looked_at - every)
        self._looked_at, self._last_report_at = now, min(now, self._last_report_at + late)
        return now - self._last_report_at
