"""Audit log: every job, recorded by a trigger, and every action of a moderator.

It has no prompts: an entry names its job, and the prompt is there for as long as the job is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.store.database import Database

PAINT = "paint"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One recorded action; `guild_id` None is a direct message, `prompt` None a deleted job.

    `channel_id` and `message_id` are where the job is shown, unless it is private.
    """

    at: datetime
    guild_id: int | None
    user_id: int
    action: str
    target_id: int | None = None
    job_id: str | None = None
    detail: str = ""
    prompt: str | None = None
    status: str | None = None
    channel_id: int | None = None
    message_id: int | None = None


class AuditLog:
    """All reading and writing of the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AuditEntry) -> None:
        """Record an action."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO audit (at, guild_id, user_id, action, target_id, job_id, detail)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                entry.at.timestamp(),
                entry.guild_id,
                entry.user_id,
                entry.action,
                entry.target_id,
                entry.job_id,
                entry.detail,
            )

    async def page(
        self, guild_id: int, *, user_id: int | None = None, limit: int = 10, skip: int = 0
    ) -> list[AuditEntry]:
        """Return what happened in a server, the newest first; with a person, what they did or was done to them."""
        sql = (
            "SELECT audit.*, json_extract(jobs.request, '$.prompt') AS prompt, jobs.status AS status,"
            " iif(jobs.private, NULL, jobs.channel_id) AS channel_id,"
            " iif(jobs.private, NULL, jobs.message_id) AS message_id"
            " FROM audit LEFT JOIN jobs ON jobs.id = audit.job_id"
            " WHERE audit.guild_id = :guild AND (:user IS NULL OR :user IN (audit.user_id, audit.target_id))"
            " ORDER BY audit.id DESC LIMIT :limit OFFSET :skip"
        )
        rows = await self._database.reader.all(sql, guild=guild_id, user=user_id, limit=limit, skip=skip)
        return [
            AuditEntry(
                at=datetime.fromtimestamp(row["at"], tz=UTC),
                **{name: value for name, value in dict(row).items() if name not in ("id", "at")},
            )
            for row in rows
        ]

    async def purge(self, *, before: datetime) -> None:
        """Remove older entries."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM audit WHERE at < ?", before.timestamp())
