"""Help for tests: a clock, settings, and waiting for what happens in the background."""

import asyncio
import inspect
import io
import struct
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from pastelbot import config

PATIENCE = 600.0  # seconds until a test that waits gives up: far more than a slow and busy machine takes


def cpu_seconds(work: Callable[[], Any], *, tries: int = 3) -> float:
    """Return the least processor time of a few tries: what else runs on the machine does not count."""
    times = []
    for _ in range(tries):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


class Clock:
    """A wall clock that only the test moves, and a monotonic one that its jumps do not move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self._passed = 0.0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)
        self._passed += timedelta(**duration).total_seconds()

    def jump(self, **duration: float) -> None:
        """Set the wall clock to another time, while no time passes."""
        self.now += timedelta(**duration)


def make_settings(folder, **sections):
    sections.setdefault("discord", {}).setdefault("edit_seconds", 0.0)
    sections["discord"].setdefault("direct_messages", True)
    for kind in ("commands", "buttons", "completions"):  # a test is faster than any user
        sections.setdefault("limits", {}).setdefault(f"{kind}_per_minute", 100_000)
    # Bit by bit the same picture again is for torch alone.
    sections.setdefault("checkpoint", {}).setdefault("backend", "torch")
    state = folder / "state"
    storage = {"database": state / "bot.sqlite3", "pictures": state / "pictures", "compiled": state / "compiled"}
    storage["durability"] = "relaxed"  # waiting for the disk takes most of a test's time, and no test cuts the power
    sections.setdefault("monitoring", {"port": 0})  # tests run side by side
    return config.bundled(storage=storage | sections.pop("storage", {}), **sections)


async def eventually(condition: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Wait until a condition, plain or a coroutine function, holds and return its value; fail after that time."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.005)


def ended(pid: int) -> bool:
    """Return whether a process has ended; one that only waits to be asked for its exit code has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def png(colour="red", *, size=(8, 4)):
    """Return a PNG file's content."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def png_declaring(width, height):
    """Return a small PNG that says it has this size."""
    content = png()
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
