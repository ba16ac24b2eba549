"""Kept rows: what was read of the database and has not changed since, in memory."""

from collections.abc import Collection, Hashable, Mapping
from copy import deepcopy
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class KeptRows(Generic[K, V]):
    """Values by key, at most so many; readers get copies. It belongs to the database, so all who write drop from it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[K, V] = {}
        self.changes = 0

    def known(self, keys: Collection[K]) -> dict[K, V]:
        """Return the values that are kept of these keys."""
        return {key: deepcopy(self._values[key]) for key in keys if key in self._values}

    def keep(self, values: Mapping[K, V], *, changes: int) -> None:
        """Keep what was read, unless anything has changed since there were so many changes."""
        if changes != self.changes:
            return
        if len(self._values) + len(values) > self._most:
            self._values.clear()
        self._values.update(deepcopy(dict(values)))

    def drop(self, key: K) -> None:
        """Forget a value that has changed."""
        self.changes += 1
        self._values.pop(key, None)
