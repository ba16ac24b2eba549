"""Statistics of painted jobs and disk usage, for a server's moderators."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pastelbot.store.database import Database
from pastelbot.store.maintenance.disk_space import database_bytes, file_size


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What happened in a span of time; `work` is in pixel-steps, `seconds` are those of the worker."""

    jobs: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    withheld: int = 0
    people: int = 0
    work: int = 0
    seconds: float = 0.0
    work_timed: int = 0


@dataclass(frozen=True, kw_only=True)
class DiskUsage:
    """Bytes of the picture files, of the database, and free ones on the database's disk."""

    pictures: int
    database: int
    free: int


class StatsStore:
    """Counts jobs and bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, guild_id: int, *, since: datetime) -> Figures:
        """Count a server's jobs since then."""
        sql = (
            "SELECT count(*) AS jobs, total(status = 'done') AS done, total(status = 'failed') AS failed,"
            " total(status = 'cancelled') AS cancelled, total(review = 'open' AND status = 'rendered') AS withheld,"
            " count(DISTINCT user_id) AS people, total(cost) FILTER (WHERE status = 'done') AS work,"
            " total(seconds) AS seconds, total(cost) FILTER (WHERE seconds > 0) AS work_timed"
            " FROM jobs WHERE guild_id = ? AND created_at >= ?"
        )
        row = await self._database.reader.one(sql, guild_id, since.timestamp())
        if row is None:
            return Figures()
        whole = {name: int(value) for name, value in dict(row).items() if name != "seconds"}
        return Figures(seconds=row["seconds"], **whole)

    async def disk_usage(self, pictures: Path) -> DiskUsage:
        """Measure the folder of pictures and the database."""
        return await asyncio.to_thread(_disk_usage, pictures, self._database.path)


def _disk_usage(pictures: Path, database: Path) -> DiskUsage:
    return DiskUsage(
        pictures=sum(file_size(Path(root) / name) for root, _folders, names in os.walk(pictures) for name in names),
        database=database_bytes(database),
        free=shutil.disk_usage(database.parent).free,
    )
