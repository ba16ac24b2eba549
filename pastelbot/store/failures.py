"""Causes of failed writes and reads, classified in one place: what lies outside the program is worth another try."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pastelbot.errors import (
    StorageBusyError,
    StorageClosedError,
    StorageError,
    StorageFullError,
    StoreDamagedError,
    StoreError,
)

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# The disk, the file or the folder: what an operator mends while the bot runs.
_DEVICE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM}


@contextmanager
def store_errors(on_damage: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Turn what SQLite, aiosqlite and the file system raise into the StoreError that names the kind of cause.

    `on_damage` is called where SQLite finds the file damaged.
    """
    try:
        yield
    except (sqlite3.Error, ValueError, OSError) as error:
        if isinstance(error, sqlite3.Error) and _primary_code(error) in _DAMAGE:
            on_damage()
        raise _store_error(error) from error


def _store_error(error: Exception) -> StoreError:
    match error:
        case sqlite3.Error() if (code := _primary_code(error)) is not None:
            return _of_sqlite(code)
        case OSError():
            return _full() if error.errno in _FULL_DISK else _unreadable()
        case UnicodeError():  # a value that cannot be stored
            return StoreError(_UNREADABLE)
        case ValueError() | sqlite3.ProgrammingError() if "clos" in str(error) or "no active" in str(error):
            return StorageClosedError("The bot is just stopping or restarting: try again in a minute.")
    return StoreError(_UNREADABLE)


def _of_sqlite(code: int) -> StoreError:
    if code == sqlite3.SQLITE_FULL:
        return _full()
    if code in _DAMAGE:
        return _damaged()
    if code in _BUSY:
        return StorageBusyError("The bot's database is used by another program just now: try again in a minute.")
    return _unreadable() if code in _DEVICE else StoreError(_UNREADABLE)


def _primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's result code without what extends it; errors of the Python module have none."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _damaged() -> StoreDamagedError:
    return StoreDamagedError("The bot's database is damaged: its operator has to repair it, and finds how in its log.")


def _full() -> StorageFullError:
    return StorageFullError("The disk of the bot is full, so nothing can be saved just now: try again later.")


def _unreadable() -> StorageError:
    return StorageError(_UNREADABLE)


_UNREADABLE = "The database cannot be read or written just now: try again later."
