"""Figures about what was painted, for those who look after a server."""

from dataclasses import dataclass
from datetime import datetime

from pastelbot.store.database import Database


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


class StatsStore:
    """Counts jobs."""

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
        async with self._database.reader.execute(sql, (guild_id, since.timestamp())) as cursor:
            row = await cursor.fetchone()
        if row is None:
            return Figures()
        whole = {name: int(row[name]) for name in row.keys() if name != "seconds"}  # noqa: SIM118 - a row
        return Figures(seconds=row["seconds"], **whole)
