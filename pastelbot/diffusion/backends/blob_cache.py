"""Compiled networks on disk: one file each, under a key of all that it depends on."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_ENDING = ".compiled"
_DIGEST = 32  # bytes of SHA-256 in front of the content
_MAX_BYTES = 8 * 2**30


class BlobCache:
    """A folder of compiled networks; the oldest ones leave where they take more than `max_bytes` together.

    Whatever is wrong with the folder costs a compilation and nothing else: it is a warning in the log.
    """

    def __init__(self, folder: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def has(self, key: Iterable[str]) -> bool:
        """Return whether something was written under a key."""
        return self._path(key).is_file()

    def read(self, key: Iterable[str]) -> bytes | None:
        """Return what was written under a key; None where there is nothing, or where it is damaged."""
        path = self._path(key)
        try:
            with path.open("rb") as file:  # in two parts: gigabytes are not copied
                digest, blob = file.read(_DIGEST), file.read()
        except OSError:
            return None
        if hashlib.sha256(blob).digest() != digest:
            log.warning("a compiled network on disk is damaged and is compiled again", file=path.name)
            return None
        return blob

    def write(self, key: Iterable[str], blob: bytes) -> None:
        """Keep a compiled network under a key."""
        path = self._path(key)
        part = path.with_suffix(".part")  # what a kill leaves here is written over the next time
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(hashlib.sha256(blob).digest())
                file.write(blob)
            part.replace(path)
            self._shrink()
        except OSError as error:
            log.warning("a compiled network cannot be kept on disk", folder=str(self._folder), reason=str(error))
            with suppress(OSError):
                part.unlink()

    def _path(self, key: Iterable[str]) -> Path:
        return self._folder / f"{hashlib.sha256(repr(tuple(key)).encode()).hexdigest()}{_ENDING}"

    def _shrink(self) -> None:
        files = sorted(self._folder.glob(f"*{_ENDING}"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in files:
            total += path.stat().st_size
            if total > self._max_bytes:
                path.unlink(missing_ok=True)
