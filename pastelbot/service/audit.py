"""The audit trail of servers: what moderators and admins did. Every entry but a trigger's is written here."""

from collections.abc import Callable
from datetime import datetime

from pastelbot.records import Actor, Job
from pastelbot.store.moderation.audit import AuditEntry, AuditLog

_DETAIL = 1000  # characters


class AuditTrail:
    """Writes the audit log, pages through it, and forgets what is old."""

    def __init__(self, log: AuditLog, *, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock

    async def record(
        self, actor: Actor, action: str, *, target_id: int | None = None, job_id: str | None = None, detail: str = ""
    ) -> None:
        """Record what a user did, in the log of the server where they did it."""
        await self._log.record(
            AuditEntry(
                at=self._clock(),
                guild_id=actor.guild_id,
                user_id=actor.user_id,
                action=action,
                target_id=target_id,
                job_id=job_id,
                detail=detail[:_DETAIL],
            )
        )

    async def record_job(self, actor: Actor, action: str, job: Job) -> None:
        """Record what a user did with a job."""
        await self.record(actor, action, target_id=job.user_id, job_id=job.id)

    async def page(self, guild_id: int, *, user_id: int | None, limit: int, skip: int) -> list[AuditEntry]:
        """Return a part of a server's log, the newest entries first; with a user, what they did or was done to them."""
        return await self._log.page(guild_id, user_id=user_id, limit=limit, skip=skip)

    async def purge(self, *, before: datetime) -> None:
        """Remove all entries that are older."""
        await self._log.purge(before=before)
