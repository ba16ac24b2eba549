"""Load time: how long the worker still loads before it paints, as measured when it last did."""

from collections.abc import Callable


class LoadTime:
    """Seconds until there is a worker that paints, by the monotonic clock; a first load counts its downloads too."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._began: float | None = None
        self._loaded = False
        self.measured: float | None = None

    def begin(self) -> None:
        """Note that a worker begins to load."""
        self._loaded, self._began = False, self._monotonic()

    def end(self) -> None:
        """Note that a worker is ready."""
        if self._began is not None and not self._loaded:
            self.measured = self._monotonic() - self._began
        self._loaded = True

    def unloaded(self) -> None:
        """Note that no worker is loaded, and that none loads."""
        self._loaded, self._began = False, None

    @property
    def left(self) -> float:
        """Return for how long it will still load; 0 where that is unknown."""
        if self._loaded or self.measured is None:
            return 0.0
        passed = 0.0 if self._began is None else self._monotonic() - self._began
        return max(0.0, self.measured - passed)
