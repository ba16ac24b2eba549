"""Space on the disks: whether what is painted can still be saved, and how large the database is."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path


def _free_bytes(folder: Path) -> int:
    """Return the free space on the disk of a folder, or of the nearest folder above it that is there."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    return shutil.disk_usage(there).free


class DiskSpace:
    """Measures the disks below some folders; less than `least` free bytes on any of them is a shortage, 0 is none."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        least: int,
        free_bytes: Callable[[Path], int] = _free_bytes,
    ) -> None:
        self._folders = folders
        self._least = least
        self._free_bytes = free_bytes

    async def is_short(self) -> bool:
        """Return whether painting should wait. A disk that cannot be measured is not short of space."""
        if not self._least:
            return False
        try:
            return await asyncio.to_thread(self.free) < self._least
        except OSError:
            return False

    def free(self) -> int:
        """Return the free bytes of the disk that has the fewest, which may take long on some disks. Raises OSError."""
        return min(map(self._free_bytes, self._folders))


def database_bytes(database: Path) -> int:
    """Return the size of a database with the files beside it."""
    return sum(file_size(database.with_name(database.name + ending)) for ending in ("", "-wal", "-shm"))


def file_size(path: Path) -> int:
    """Return the size of a file in bytes, 0 where it is gone."""
    try:
        return path.stat().st_size
    except OSError:  # removed a moment ago
        return 0
