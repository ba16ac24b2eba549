"""The hashes that Stable Diffusion files are known by: whole, short, old, and those of LoRAs."""

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.safetensors_header import header_end

_OLD_START = 0x100000
_OLD_LENGTH = 0x10000
_BLOCK = 2**22
_SHORT_DIGITS = 10
_NETWORK_DIGITS = 12
_LEAST_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class FileHashes:
    """A file's sha256, and the webui's hash of before 2023, which looks at 64 KiB only."""

    sha256: str
    old: str

    @property
    def short(self) -> str:
        """Return the webui's hash since 2023."""
        return shortened(self.sha256)


def shortened(sha256: str) -> str:
    """Return the webui's hash since 2023: the first ten digits of a file's sha256."""
    return sha256[:_SHORT_DIGITS]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short_hash(*paths: Path) -> str:
    """Return the webui's hash since 2023 of a file, or of several as one; raises OSError."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return shortened(digest.hexdigest())


class HashInBackground:
    """The webui's hash since 2023 of a file, or of several as one, computed by a thread of its own from now on."""

    def __init__(self, *paths: Path) -> None:
        self._hash: str | OSError = ""
        self._thread = threading.Thread(target=self._run, args=paths, name="hash", daemon=True)
        self._thread.start()

    def result(self) -> str:
        """Wait for the hash; raises OSError."""
        self._thread.join()
        if isinstance(self._hash, OSError):
            raise self._hash
        return self._hash

    def _run(self, *paths: Path) -> None:
        try:
            self._hash = short_hash(*paths)
        except OSError as error:
            self._hash = error


def embedding_hash(path: Path) -> str:
    """Return the webui's hash of an embedding: the first twelve digits of its file's sha256; raises OSError."""
    return sha256_of(path)[:_NETWORK_DIGITS]


def lora_hash(path: Path, stated: str | None) -> str:
    """Return the webui's hash of a LoRA, twelve digits: the one that it states, else that of all but its header.

    Raises CheckpointError where the file is of another form.
    """
    if stated:
        return stated[:_NETWORK_DIGITS]
    with path.open("rb") as file:
        if is_safetensors(path):
            file.seek(header_end(file))
        return hashlib.file_digest(file, "sha256").hexdigest()[:_NETWORK_DIGITS]


def hash_file(path: Path, progress: Callable[[int], None] | None = None) -> FileHashes:
    """Hash a file; `progress` is given the bytes done since it was last called. Raises CheckpointError."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            old = _hash_old((file.seek(_OLD_START) and file.read(_OLD_LENGTH)) or b"")
            file.seek(0)
            while block := file.read(_BLOCK):
                digest.update(block)
                if progress is not None:
                    progress(len(block))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    return FileHashes(sha256=digest.hexdigest(), old=old)


def _hash_old(part: bytes) -> str:
    """Return the old hash, eight digits, from the 64 KiB behind a file's first MiB."""
    return hashlib.sha256(part).hexdigest()[:8]


def old_hash(path: Path) -> str:
    """Return the webui's hash of before 2023 of a file, which looks at 64 KiB only; raises OSError."""
    with path.open("rb") as file:
        file.seek(_OLD_START)
        return _hash_old(file.read(_OLD_LENGTH))


def as_wanted(written: str) -> str:
    """Return the digits of a hash as infotexts write it, "" for one of fewer digits, which would mean any file."""
    digits = written.strip().lower().removeprefix("sha256:").strip().removeprefix("0x")
    return digits if len(digits) >= _LEAST_DIGITS else ""


class HashIndex:
    """Finds files by any of the hashes that sites and infotexts know them by, from 8 digits to 64, in any case.

    Hashing gigabytes takes seconds: what is not done within `patience` seconds of one search is done by the next. What
    was hashed is remembered until a file changes.
    """

    def __init__(self, *, patience: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._known: dict[Path, tuple[tuple[int, int], tuple[str, ...]]] = {}

    def find(self, paths: Iterable[Path], wanted: str) -> Path | None:
        """Return the first file one of whose hashes begins so: of all of it, of all but its header, or the old one."""
        prefix, end = as_wanted(wanted), self._clock() + self._patience
        if not prefix:
            return None
        for path in paths:
            if any(known.startswith(prefix) for known in self._hashes(path, hashing=self._clock() < end)):
                return path
        return None

    def _hashes(self, path: Path, *, hashing: bool) -> tuple[str, ...]:
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if self._known.get(path, ((0, 0), ()))[0] != version:
                if not hashing:
                    return ()
                self._known[path] = version, all_hashes(path)
        except (OSError, CheckpointError):
            return ()
        return self._known[path][1]


def all_hashes(path: Path) -> tuple[str, str, str]:
    """Return a file's sha256, that of all but its header (civitai's AutoV3), and the old hash.

    Raises OSError, and CheckpointError where a file that is called safetensors is none.
    """
    whole, body = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as file:
        start = header_end(file) if path.suffix.lower() == ".safetensors" else 0
        position = file.seek(0)
        while block := file.read(_BLOCK):
            whole.update(block)
            body.update(block[max(0, start - position) :])
            position += len(block)
    return whole.hexdigest(), body.hexdigest(), old_hash(path)


def lora_hashes(file: bytes) -> dict[str, str]:
    """Return the hashes that trainers write into a LoRA's metadata, of the file before they are in it."""
    start = header_end(io.BytesIO(file))
    return {
        "sshs_model_hash": hashlib.sha256(file[start:]).hexdigest(),
        "sshs_legacy_hash": _hash_old(file[_OLD_START : _OLD_START + _OLD_LENGTH]),
    }
