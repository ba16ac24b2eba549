"""Housekeeping: the pictures folder kept within the operator's limits."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pastelbot.config import StorageSettings
from pastelbot.store.picture_files import PictureFiles


class Housekeeping:
    """Sweeps the pictures folder."""

    def __init__(self, settings: StorageSettings, files: PictureFiles, *, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._files = files
        self._clock = clock

    async def sweep(self) -> None:
        """Remove what is too old, over the cap, or unused."""
        days = self._settings.keep_days
        before = self._clock() - timedelta(days=days) if days else None
        await self._files.sweep(before=before, max_bytes=int(self._settings.max_gib * 2**30))
