"""SQLite as `aiosqlite` offers it, without its thread: statements run in the loop, one after the other, a little later.

The file and all that SQLite does to it are real. So a crash is a copy of the files as they are at that moment, and a
power cut is that copy without what was not synced: SQLite appends to its log (WAL) and syncs it with each commit where
`synchronous` is FULL, and only with a checkpoint where it is NORMAL.
"""

import asyncio
import sqlite3
from collections import deque
from functools import partial

import aiosqlite

_FULL = 2


class InlineConnection(aiosqlite.Connection):
    """A connection whose statements run in the loop's own thread; `disk` injects faults and hears of commits."""

    def __init__(self, connector, disk, path):
        super().__init__(connector, 64)
        self.disk = disk
        self.path = path
        self.waiting = deque()
        self.busy = False

    def __await__(self):
        return self._connect().__await__()

    async def _connect(self):
        if self._connection is None:
            self._connection = self._connector()
            self.disk.opened(self)
        return self

    async def _execute(self, fn, *args, **kwargs):
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        return await self._queue(partial(fn, *args, **kwargs))

    def stop(self):
        self._running = False

    async def close(self):
        if self._connection is not None:
            await self._queue(self.close_now)
        self._running = False

    def close_now(self):
        """Close without the loop."""
        self._running = False
        if self._connection is not None:
            self.disk.closed(self)
            self._connection.close()
            self._connection = None

    @property
    def sqlite(self):
        """The connection below, or None where it is closed."""
        return self._connection

    def _queue(self, function):
        future = asyncio.get_running_loop().create_future()
        self.waiting.append((future, function))
        self._schedule(future.get_loop())
        return future

    def _schedule(self, loop):
        if not self.busy and self.waiting:
            self.busy = True
            loop.call_later(self.disk.delay(), self._next, loop)

    def _next(self, loop):
        future, function = self.waiting.popleft()
        self.busy = False
        try:
            before = self._connection is not None and self._connection.in_transaction
            self.disk.before_statement(self, function)
            result = function()
        except Exception as error:  # noqa: BLE001 - as the thread does
            if not future.done():
                future.set_exception(error)
        else:
            if before and self._connection is not None and not self._connection.in_transaction:
                self.disk.committed(self)
            if not future.done():
                future.set_result(result)
        self._schedule(loop)


def is_full(connection):
    """Return whether a commit on this connection is synced."""
    return connection.execute("PRAGMA synchronous").fetchone()[0] >= _FULL


def connector_of(disk):
    """Return what stands for `aiosqlite.connect` in the simulation."""

    def connect(path, **options):
        return InlineConnection(lambda: sqlite3.connect(path, **options), disk, path)

    return connect
