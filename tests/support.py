"""Help for tests: a clock, settings, and waiting for what happens in the background."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pastelbot import config


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def make_settings(folder, **sections):
    sections.setdefault("discord", {}).setdefault("edit_seconds", 0.0)
    storage = {"database": folder / "state" / "bot.sqlite3", "pictures": folder / "state" / "pictures"}
    return config.bundled(storage=storage, **sections)


async def eventually(condition: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait until a condition holds, for what happens in the background; fail after that time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
