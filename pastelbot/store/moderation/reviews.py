"""Reviews of withheld pictures by moderators: a part of the job's row, so that both agree."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pastelbot.store.database import Database

State = Literal["open", "approved", "rejected"]


@dataclass(frozen=True, kw_only=True)
class Review:
    """How a job's review stands (None: it needs none so far), and the message in which moderators are asked."""

    state: State | None = None
    channel_id: int | None = None
    message_id: int | None = None


class ReviewStore:
    """All reading and writing of reviews. Only a rendered job is reviewed, and only an open review is decided."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> Review:
        """Return how the job's review stands."""
        sql = "SELECT review, review_channel_id, review_message_id FROM jobs WHERE id = ?"
        row = await self._database.reader.one(sql, job_id)
        return Review() if row is None else Review(state=row[0], channel_id=row[1], message_id=row[2])

    async def open(self, job_id: str, *, now: datetime) -> None:
        """Withhold the job's pictures."""
        await self._write(
            "UPDATE jobs SET review = 'open', review_at = ? WHERE id = ? AND status = 'rendered' AND review IS NULL",
            (now.timestamp(), job_id),
        )

    async def asked(self, job_id: str, *, channel_id: int, message_id: int) -> None:
        """Remember the message in which moderators are asked."""
        await self._write(
            "UPDATE jobs SET review_channel_id = ?, review_message_id = ? WHERE id = ?",
            (channel_id, message_id, job_id),
        )

    async def decide(self, job_id: str, state: State) -> bool:
        """Decide an open review; return whether it was still open."""
        return await self._write(
            "UPDATE jobs SET review = ? WHERE id = ? AND status = 'rendered' AND review = 'open'", (state, job_id)
        )

    async def overdue(self, *, before: datetime) -> list[str]:
        """Return the jobs whose reviews have been open for longer."""
        sql = "SELECT id FROM jobs WHERE review = 'open' AND review_at < ? AND status = 'rendered'"
        return [row["id"] for row in await self._database.reader.all(sql, before.timestamp())]

    async def open_in(self, *, message_id: int | None = None, channel_id: int | None = None) -> list[str]:
        """Return the jobs with open reviews about which moderators are asked in a message, or in a channel."""
        sql = (
            "SELECT id FROM jobs WHERE review = 'open' AND status = 'rendered'"
            " AND (review_message_id = ? OR review_channel_id = ?)"
        )
        return [row["id"] for row in await self._database.reader.all(sql, message_id, channel_id)]

    async def _write(self, sql: str, values: tuple[object, ...]) -> bool:
        async with self._database.transaction() as connection:
            return await connection.execute(sql, *values) > 0
