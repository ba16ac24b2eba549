"""Hashes by which Stable Diffusion files are known."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pastelbot.errors import CheckpointError

_OLD_START = 0x100000
_OLD_LENGTH = 0x10000
_BLOCK = 2**22


@dataclass(frozen=True, kw_only=True)
class FileHashes:
    """A file's sha256, and the webui's hash of before 2023, which looks at 64 KiB only."""

    sha256: str
    old: str

    @property
    def short(self) -> str:
        """Return the webui's hash since 2023: ten digits of the sha256."""
        return self.sha256[:10]


def hash_file(path: Path, progress: Callable[[int], None] | None = None) -> FileHashes:
    """Hash a file; `progress` hears of the bytes done since it was last called. Raises CheckpointError."""
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


def lora_hashes(file: bytes) -> dict[str, str]:
    """Return the hashes that trainers write into a LoRA's metadata, of the file before they are in it."""
    start = 8 + int.from_bytes(file[:8], "little")
    return {
        "sshs_model_hash": hashlib.sha256(file[start:]).hexdigest(),
        "sshs_legacy_hash": _hash_old(file[_OLD_START : _OLD_START + _OLD_LENGTH]),
    }
