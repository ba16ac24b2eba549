"""How many rows of the UNet's batch share a call: as many as were fastest, measured while painting.

On processors a batch of sixteen rows may take longer than eight batches of two, and which is faster depends on the
size of the pictures, the network and what else the machine does. No job waits for another: only what is there anyway
is grouped.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

_LEAST = 2  # rows: one picture with its negative prompt
_SAMPLES = 3  # turns of each size that count, the fastest of them
_WORTH = 0.95  # of the largest batch's time, above which smaller ones are not worth the change


class GroupSizes:
    """Rows a call by the latents' shape: `most`, fewer where memory was short, or what was fastest with `measured`."""

    def __init__(self, most: int, *, measured: bool = False, clock: Callable[[], float] = time.perf_counter) -> None:
        self._most: defaultdict[torch.Size, int] = defaultdict(lambda: most)
        self._measured = measured
        self._clock = clock
        self._seconds: defaultdict[tuple[torch.Size, int], deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLES))

    def rows(self, shape: torch.Size, wanted: int) -> int:
        """Return how many rows a call should take at most, of so many that are wanted in this turn."""
        most = self._most[shape]
        largest = min(most, wanted)
        if not self._measured or largest <= _LEAST:
            return most
        sizes = [largest, *(size for size in (8, 4, _LEAST) if size < largest)]
        new = next((size for size in sizes if len(self._seconds[shape, size]) < _SAMPLES), None)
        if new is not None:
            return new
        best = min(sizes, key=lambda size: self._fastest(shape, size))
        return best if self._fastest(shape, best) < _WORTH * self._fastest(shape, largest) else largest

    def shorten(self, shape: torch.Size, rows: int) -> bool:
        """Take half of so many rows from now on, as memory was short; return False where one was too much."""
        if self._most[shape] <= 1:
            return False
        self._most[shape] = max(1, min(self._most[shape], rows) // 2)
        return True

    @contextmanager
    def timed(self, shape: torch.Size, rows: int, wanted: int) -> Iterator[None]:
        """Measure a turn of so many wanted rows in calls of at most `rows`."""
        start = self._clock()
        yield
        if self._measured and rows <= wanted:
            self._seconds[shape, rows].append((self._clock() - start) / wanted)

    def _fastest(self, shape: torch.Size, size: int) -> float:
        return min(self._seconds[shape, size])
