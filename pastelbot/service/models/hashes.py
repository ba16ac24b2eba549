"""Hashes of checkpoint files, by which infotexts name them: computed on first use, then cached."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.hashes import all_hashes, old_hash
from pastelbot.store.key_values import KeyValueStore

_DIGITS, _NETWORK_DIGITS, _OLD_DIGITS = 10, 12, 8
_PATIENCE = 1.5  # seconds: Discord waits for three

_WEIGHTS = tuple(
    f"unet/diffusion_pytorch_model{ending}" for ending in (".safetensors", ".fp16.safetensors", ".bin", ".fp16.bin")
)


class CheckpointHashes:
    """Finds a checkpoint by its hash. Hashing gigabytes takes seconds: what is not done in time is known next time."""

    def __init__(
        self,
        key_values: KeyValueStore,
        places: Mapping[str, Path],
        *,
        patience: float = _PATIENCE,
        digest: Callable[[Path], str] | None = None,
    ) -> None:
        self._key_values = key_values
        self._places = places
        self._patience = patience
        self._digest = digest if digest is not None else _digest
        self._running: dict[str, asyncio.Future[str]] = {}

    async def find(self, wanted: str) -> str | None:
        """Return the name of the checkpoint with this hash: of all of its file, or of all but the header (AutoV3).

        Eight digits are the webui's old hash, or a beginning.
        """
        files = {name: file for name, place in self._places.items() if (file := _weights_of(place)) is not None}
        if len(wanted) == _OLD_DIGITS:
            old = await asyncio.to_thread(lambda: {name: _old(file) for name, file in files.items()})
            if (found := next((name for name, known in old.items() if known == wanted), None)) is not None:
                return found
        for name, file in files.items():
            if any(known.startswith(wanted[: len(known)]) for known in (await self._hashes(file)).split()):
                return name
        return None

    async def _hashes(self, file: Path) -> str:
        """Return a file's hashes with spaces between, or nothing that any hash begins with where it takes too long."""
        version = _version(file)
        key = f"hashes:{file}"
        known = (await self._key_values.get(key) or "").partition(" ")
        if known[0] == version:
            return known[2]
        mark = f"{key}:{version}"
        if mark not in self._running:
            self._running[mark] = asyncio.get_running_loop().run_in_executor(None, self._digest, file)
        running = self._running[mark]
        done, _pending = await asyncio.wait({running}, timeout=self._patience)
        if not done:
            return "?"
        self._running.pop(mark, None)
        await self._key_values.set(key, f"{version} {running.result()}")
        return running.result()


def _weights_of(place: Path) -> Path | None:
    """Return the file that a checkpoint's hash is of; None where it is not on this machine."""
    if place.is_file():
        return place
    return next((place / name for name in _WEIGHTS if (place / name).is_file()), None)


def _version(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_mtime_ns}:{stat.st_size}"


def _old(file: Path) -> str:
    try:
        return old_hash(file)
    except OSError:
        return "?"


def _digest(file: Path) -> str:
    try:
        whole, body, _old = all_hashes(file)
    except (OSError, CheckpointError):
        return "?"
    return f"{whole[:_DIGITS]} {body[:_NETWORK_DIGITS]}"
