"""The disk below the bot: the database file and the pictures folder, with their faults, crashes and power cuts."""

import errno
import io
import os
import shutil
import sqlite3
from pathlib import Path

from simulation.inline_sqlite import is_full

_SALTS = slice(16, 24)  # of the write-ahead log's header: they change when SQLite begins it anew


class DiskOffError(OSError):
    """The process has ended: nothing of it reaches the disk from now on."""


def _locked():
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_BUSY, "SQLITE_BUSY"
    return error


class Disk:
    """The files of one simulated machine; `random` decides which of what was not synced survives a power cut."""

    def __init__(self, folder, random, database):
        self.folder = folder
        self.random = random
        self.pictures = folder / "pictures"
        self.connections = []
        self.on_commit = lambda: None
        self.off = False
        self.full = False
        self.locked = False
        self._life = 0
        self._durable = (b"", 0)  # salts of the log, and how much of it is synced
        self._synced_files = set()  # inode and size
        self._synced_names = set()  # inode of the folder, name, and inode of what it names
        self._real_fsync, self._real_open = os.fsync, io.open
        if database:
            self.database.parent.mkdir(parents=True)
            self.database.write_bytes(database)

    @property
    def database(self):
        return self.folder / str(self._life) / "bot.sqlite3"

    @property
    def _log(self):
        return self.database.with_name("bot.sqlite3-wal")

    # What the bot does.

    def delay(self):
        return 0.0002 + self.random.random() ** 4 * 0.05

    def opened(self, connection):
        if self.off:
            raise DiskOffError("the process has ended")
        self.connections.append(connection)

    def closed(self, connection):
        self.connections.remove(connection)

    def before_statement(self, connection, function):
        """Raise what SQLite would where the disk is full or another process holds the lock."""
        if self.off:
            raise sqlite3.OperationalError("the process has ended")
        if self.locked and str(getattr(function, "args", ())).startswith("('BEGIN"):
            raise _locked()
        below = connection.sqlite
        if below is not None and not below.in_transaction:
            below.execute(f"PRAGMA max_page_count = {1 if self.full else 1073741823}").fetchall()

    def committed(self, connection):
        """Note what of the log is synced now."""
        if self._log.exists() and is_full(connection.sqlite):
            self._durable = (self._salts(), self._log.stat().st_size)
        self.on_commit()

    def before_thread(self):
        if self.off:
            raise DiskOffError("the process has ended")

    def fsync(self, handle):
        """Stand for `os.fsync`: remember what is synced; the real disk need not be bothered."""
        status = os.fstat(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            self._synced_names |= {(status.st_ino, entry.name, entry.inode()) for entry in os.scandir(path)}
        else:
            self._synced_files.add((status.st_ino, status.st_size))

    def open(self, file, mode="r", *args, **options):
        """Stand for `io.open`: a full disk makes the file, and takes nothing into it."""
        opened = self._real_open(file, mode, *args, **options)
        if self.full and set(mode) & set("wxa") and str(file).startswith(str(self.folder)):
            opened.close()
            raise OSError(errno.ENOSPC, "No space left on device", str(file))
        return opened

    # What the world does to it.

    def crash(self):
        """End the process: what it gave to the operating system stays. Begin a new life on it."""
        self._next_life(power=False)

    def cut_power(self):
        """Cut the power: of what was not synced, nothing, a part or all is there afterwards."""
        self._next_life(power=True)
        self._tear_pictures()

    def _next_life(self, *, power):
        before, log = self.database, self._log
        self._life += 1
        self.database.parent.mkdir(parents=True)
        if before.exists():
            shutil.copy(before, self.database)
        if log.exists():
            shutil.copy(log, self._log)
            if power:
                self._tear_log()

    def _tear_log(self):
        salts, length = self._durable
        size = self._log.stat().st_size
        least = length if salts == self._salts() else 0
        with self._real_open(self._log, "r+b") as log:
            log.truncate(self.random.choice((least, size, self.random.randint(least, size))))

    def _salts(self):
        with self._real_open(self._log, "rb") as log:
            return log.read(32)[_SALTS]

    def _tear_pictures(self):
        """Lose what was not synced of the pictures: contents of files, and names in folders."""
        for path in sorted(self.pictures.rglob("*")):
            if not path.is_file():
                continue
            status = path.stat()
            fate = self.random.choice(("kept", "kept", "empty", "half", "gone"))
            if (status.st_ino, status.st_size) not in self._synced_files:
                self._lose(path, fate)
            elif not self._named(path) and fate == "gone":
                path.unlink()

    def _lose(self, path, fate):
        if fate == "gone":
            path.unlink()
        elif fate != "kept":
            os.truncate(path, path.stat().st_size // 2 if fate == "half" else 0)

    def _named(self, path):
        """Return whether the names on the way to a file were synced."""
        while path != self.pictures:
            name, inode, path = path.name, path.stat().st_ino, path.parent
            if (path.stat().st_ino, name, inode) not in self._synced_names:
                return False
        return True
