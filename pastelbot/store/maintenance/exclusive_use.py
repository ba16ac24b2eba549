"""Lock of a database: one bot, or one restore, uses it at a time, and the lock says which.

The kernel holds the lock for the process, on a file beside the database: it ends with the process, however that ends,
and a process that is only stopped keeps it. The file stays, as removing it could leave two processes with a lock each.
"""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from pastelbot.errors import DatabaseError

_MOST = 500  # bytes of what the lock says


@contextmanager
def exclusive_use(database: Path) -> Iterator[None]:
    """Keep other bots and restores from using a database; raises DatabaseError, with who does, where one uses it."""
    path = database.resolve()
    path = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise DatabaseError(f"The database {database} cannot be opened for writing: {error}.") from error
    with file:
        _lock(file, database)
        _sign(file)
        yield


def _lock(file: FileIO, database: Path) -> None:
    try:
        _lock_file(file)
    except BlockingIOError as error:
        raise DatabaseError(
            f"The database {database} is in use by another bot, or is being restored: {_holder(file)}. Stop that "
            "first: two bots on one database would answer everything twice."
        ) from error
    except OSError as error:
        raise DatabaseError(f"The database {database} cannot be locked: {error}. Keep it on another disk.") from error


def _sign(file: FileIO) -> None:
    """Say in the file who holds it; on a full disk it says nothing."""
    with suppress(OSError):
        file.truncate(0)
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {now} UTC".encode())


def _holder(file: FileIO) -> str:
    file.seek(0)
    return (file.read(_MOST) or b"").decode(errors="replace") or "a process that did not say who it is"


if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # what is locked there cannot be read, and nothing is

    def _lock_file(file: FileIO) -> None:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, str(error)) from error
else:
    import fcntl

    def _lock_file(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
