"""Housekeeping: the pictures folder kept within the operator's limits, and a watch on the database's size."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from pastelbot.config import StorageSettings
from pastelbot.store.maintenance.disk_space import database_bytes
from pastelbot.store.picture_files import PictureFiles

log = structlog.get_logger(__name__)


class Housekeeping:
    """Sweeps the pictures folder, and warns of a large database."""

    def __init__(self, settings: StorageSettings, files: PictureFiles, *, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._files = files
        self._clock = clock

    def watch_database(self) -> None:
        """Warn the operator while the database is larger than it should be."""
        most, size = self._settings.database_alarm_gib * 2**30, database_bytes(self._settings.database)
        if 0 < most < size:
            log.warning(
                "the database is large: move it to a larger disk, or raise storage.database_alarm_gib",
                gib=round(size / 2**30, 2),
            )

    async def sweep(self) -> None:
        """Remove what is too old, over the cap, or unused."""
        days = self._settings.keep_days
        before = self._clock() - timedelta(days=days) if days else None
        await self._files.sweep(before=before, max_bytes=int(self._settings.max_gib * 2**30))
