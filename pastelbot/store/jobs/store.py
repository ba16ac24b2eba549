"""Job rows: their states, and the quota that each state holds.

A job's row and its reservation change in the same transaction, so a crash between them is impossible. A transition
names the states it starts from; where the job is no longer in one of them, nothing happens and the answer says so.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime

from pastelbot.errors import LimitError, RepeatedError
from pastelbot.records import ON_PAGE, GenerationRequest, Job, JobOptions, JobStatus, ReplyTarget
from pastelbot.rules import cost
from pastelbot.store import quotas
from pastelbot.store.database import Database, Transaction
from pastelbot.store.jobs.rows import QueuedJob, Served, job_of, new_row
from pastelbot.store.quotas import UNLIMITED, Account, Allowance, Charge
from pastelbot.store.stored_pictures import StoredPicture

_ABOVE_ALL = 2**63 - 1
_ACTIVE = (JobStatus.QUEUED, JobStatus.LEASED, JobStatus.RENDERED, JobStatus.POSTED)


_PICTURE = tuple(field.name for field in fields(StoredPicture))


class JobStore:
    """All reading and writing of jobs, their pictures and their quota."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        user_id: int,
        wanted: Sequence[tuple[GenerationRequest, ReplyTarget]],
        *,
        now: datetime,
        allowance: Allowance = UNLIMITED,
        waiting_limit: int = 0,
        options: JobOptions | None = None,
        interaction_id: int | None = None,
    ) -> list[Job]:
        """Reserve the quota and queue the jobs, all or nothing; all of them belong to one server, or to none.

        Raises QuotaError where the person's balance in that server has less than the requests' work, and LimitError
        where more than `waiting_limit` (0: none) jobs of the person would wait or be painted. RepeatedError: this
        interaction's jobs were queued before. Messages that were begun for these jobs are theirs from now on.
        """
        jobs = [
            Job(
                id=secrets.token_hex(6),
                user_id=user_id,
                request=request,
                status=JobStatus.QUEUED,
                created_at=now,
                reply=reply,
                options=options or JobOptions(),
                interaction_id=interaction_id,
            )
            for request, reply in wanted
        ]
        (guild_id,) = {reply.guild_id for _request, reply in wanted}
        account, work = Account(user_id=user_id, guild_id=guild_id), [cost.work(job.request) for job in jobs]
        async with self._database.transaction() as connection:
            await _check_before(connection, user_id, interaction_id, waiting_limit, len(jobs))
            charges = await quotas.reserve(connection, account, work, allowance, now)
            for part, (job, charge) in enumerate(zip(jobs, charges, strict=True)):
                row = new_row(job, charge) | {"part": part}
                sql = f"INSERT INTO jobs ({', '.join(row)}) VALUES ({_marks(tuple(row))})"
                await connection.execute(sql, *row.values())
                await connection.execute("DELETE FROM begun_messages WHERE message_id = ?", row["message_id"])
        return jobs

    async def asked_by(self, interaction_id: int | None) -> list[Job]:
        """Return the jobs that an interaction asked for, in their order."""
        sql = "SELECT * FROM jobs WHERE interaction_id = ? ORDER BY part"
        return [job_of(row) for row in await self._database.reader.all(sql, interaction_id)]

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None where there is none of that id."""
        row = await self._database.reader.one("SELECT * FROM jobs WHERE id = ?", job_id)
        return job_of(row) if row is not None else None

    async def by_message(self, message_id: int) -> Job | None:
        """Return the job that a message shows, or None."""
        row = await self._database.reader.one("SELECT * FROM jobs WHERE message_id = ?", message_id)
        return job_of(row) if row is not None else None

    async def shown_in(self, message_id: int) -> Job | None:
        """Return the job that a message shows, as its own or as a post of the gallery, or None."""
        sql = "SELECT * FROM jobs WHERE id = (SELECT job_id FROM gallery WHERE message_id = ?)"
        row = await self._database.reader.one(sql, message_id)
        return job_of(row) if row is not None else await self.by_message(message_id)

    async def kept_messages(self, before: int | None, *, limit: int) -> list[ReplyTarget]:
        """Return the messages below a number that show stored pictures, also in a gallery, the newest first."""
        sql = (
            "SELECT message_id, channel_id, guild_id FROM jobs WHERE message_id < :before AND status IN ('done',"
            " 'failed', 'cancelled') AND EXISTS (SELECT 1 FROM pictures p WHERE p.job_id = jobs.id)"
            " UNION ALL SELECT message_id, channel_id, guild_id FROM gallery WHERE message_id < :before"
            " AND channel_id IS NOT NULL ORDER BY message_id DESC LIMIT :limit"
        )
        rows = await self._database.reader.all(sql, before=before or _ABOVE_ALL, limit=limit)
        return [ReplyTarget(message_id=row[0], channel_id=row[1], guild_id=row[2]) for row in rows]

    async def last_done(self, user_id: int) -> Job | None:
        """Return a person's newest finished job, or None."""
        sql = "SELECT * FROM jobs WHERE user_id = ? AND status = 'done' ORDER BY created_at DESC, rowid DESC LIMIT 1"
        row = await self._database.reader.one(sql, user_id)
        return job_of(row) if row is not None else None

    async def newest_done(self, user_id: int, guild_id: int | None, most: int) -> list[Job]:
        """Return a person's finished jobs of one server, or of direct messages, the newest first."""
        sql = "SELECT * FROM jobs WHERE user_id = ? AND guild_id IS ? AND status = 'done'"
        sql += " ORDER BY created_at DESC, rowid DESC LIMIT ?"
        return [job_of(row) for row in await self._database.reader.all(sql, user_id, guild_id, most)]

    async def on_page(self, user_id: int, *, most: int) -> list[Job]:
        """Return a person's jobs that the web page shows, in any state, the newest first."""
        sql = "SELECT * FROM jobs WHERE user_id = ? AND channel_id = ? ORDER BY created_at DESC, rowid DESC LIMIT ?"
        return [job_of(row) for row in await self._database.reader.all(sql, user_id, ON_PAGE, most)]

    async def with_status(self, *statuses: JobStatus) -> list[Job]:
        """Return the jobs in these states, oldest first."""
        sql = f"SELECT * FROM jobs WHERE status IN ({_marks(statuses)}) ORDER BY created_at, rowid"
        return [job_of(row) for row in await self._database.reader.all(sql, *statuses)]

    async def unfinished_elsewhere(self, guild_ids: Collection[int]) -> list[str]:
        """Return the jobs that wait or are painted for servers other than these, oldest first."""
        sql = "SELECT id, guild_id FROM jobs WHERE status IN ('queued', 'leased') AND guild_id IS NOT NULL"
        rows = await self._database.reader.all(f"{sql} ORDER BY created_at, rowid")
        return [row["id"] for row in rows if row["guild_id"] not in guild_ids]

    async def several(self, job_ids: Sequence[str]) -> list[Job]:
        """Return the jobs of these ids, in any order; those that are gone are missing."""
        sql = f"SELECT * FROM jobs WHERE id IN ({_marks(job_ids)})"
        return [job_of(row) for row in await self._database.reader.all(sql, *job_ids)]

    async def ids_in_line(self) -> set[str]:
        """Return the ids of all jobs that wait."""
        sql = "SELECT id FROM jobs INDEXED BY jobs_in_line WHERE status = 'queued'"
        return {row[0] for row in await self._database.reader.all(sql)}

    async def in_line(self, *, but: Collection[str] = ()) -> list[QueuedJob]:
        """Return all jobs that wait, but for those of some ids, oldest first and without their requests."""
        columns = ("id", "user_id", "created_at", "cost", "count", "attempts", "guild_id")
        sql = f"SELECT {', '.join(columns)} FROM jobs INDEXED BY jobs_in_line WHERE status = 'queued'"
        return [
            QueuedJob(
                id=row[0],
                user_id=row[1],
                created_at=row[2],
                work=row[3],
                count=row[4],
                attempts=row[5],
                guild_id=row[6],
            )
            for row in await self._database.reader.all(f"{sql} ORDER BY created_at, rowid")
            if row[0] not in but
        ]

    async def served_since(self, since: datetime) -> list[Served]:
        """Return whose jobs were given out since then, except for those that failed."""
        sql = "SELECT user_id, leased_at, cost, count FROM jobs WHERE leased_at >= ? AND status != 'failed'"
        sql += " ORDER BY leased_at, rowid"
        rows = await self._database.reader.all(sql, since.timestamp())
        return [Served(user_id=row[0], at=row[1], work=row[2], count=row[3]) for row in rows]

    async def lease(self, job_ids: Sequence[str], *, now: datetime) -> list[Job]:
        """Take queued jobs for a worker; return those that were still queued."""
        leased = []
        async with self._database.transaction() as connection:
            for job_id in job_ids:
                sql = "UPDATE jobs SET status = 'leased', leased_at = ? WHERE id = ? AND status = 'queued' RETURNING *"
                leased += [job_of(row) for row in await connection.all(sql, now.timestamp(), job_id)]
        return leased

    async def requeue(self, job_id: str, *, crashed: bool) -> Job | None:
        """Put a leased job back into the queue; a crash counts as an attempt."""
        sql = (
            "UPDATE jobs SET status = 'queued', leased_at = NULL, attempts = attempts + ?"
            " WHERE id = ? AND status = 'leased' RETURNING *"
        )
        async with self._database.transaction() as connection:
            return await _first(connection, sql, (int(crashed), job_id))

    async def set_message(self, job_id: str, message_id: int) -> None:
        """Remember which message shows the job."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE jobs SET message_id = ? WHERE id = ?", message_id, job_id)

    async def set_ready_message(self, job_id: str, message_id: int) -> None:
        """Remember which message told the owner that the job is done: it is deleted with the job's own."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE jobs SET ready_message_id = ? WHERE id = ?", message_id, job_id)

    async def has_unfinished(self, user_id: int) -> bool:
        """Return whether a user has jobs that wait, are painted or are not posted yet."""
        sql = f"SELECT COUNT(*) FROM jobs WHERE user_id = ? AND status IN ({_marks(_ACTIVE)})"
        return await self._database.reader.number(sql, user_id, *_ACTIVE) > 0

    async def erase_ready_message(self, job_id: str) -> None:
        """Note that the message that told the owner of the job must go."""
        async with self._database.transaction() as connection:
            await _erase(connection, job_id, "ready_message_id")

    async def rendered(self, job_id: str, pictures: Sequence[StoredPicture], *, seconds: float) -> Job | None:
        """Record pictures that are on disk; None where the job was ended meanwhile."""
        sql = "UPDATE jobs SET status = 'rendered', seconds = ? WHERE id = ? AND status = 'leased' RETURNING *"
        async with self._database.transaction() as connection:
            job = await _first(connection, sql, (seconds, job_id))
            if job is not None:
                await connection.executemany(
                    f"INSERT INTO pictures (job_id, {', '.join(_PICTURE)}) VALUES (?, {_marks(_PICTURE)})",
                    [(job_id, *(getattr(picture, name) for name in _PICTURE)) for picture in pictures],
                )
        return job

    async def lost(self, job_id: str) -> tuple[Job, list[str]] | None:
        """Queue a job again whose pictures are lost, as an attempt; return it and its files, None where it moved on."""
        sql = (
            "UPDATE jobs SET status = 'queued', leased_at = NULL, seconds = NULL, attempts = attempts + 1"
            " WHERE id = ? AND status = 'rendered' RETURNING *"
        )
        async with self._database.transaction() as connection:
            job = await _first(connection, sql, (job_id,))
            if job is None:
                return None
            rows = await connection.all("DELETE FROM pictures WHERE job_id = ? RETURNING file", job_id)
        return job, [row["file"] for row in rows if row["file"] is not None]

    async def posted(self, job_id: str, message_id: int | None) -> None:
        """Record the message in which Discord has the pictures, None where the web page shows them."""
        sql = "UPDATE jobs SET status = 'posted', message_id = ? WHERE id = ? AND status = 'rendered'"
        async with self._database.transaction() as connection:
            await connection.execute(sql, message_id, job_id)

    async def done(self, job_id: str, *, now: datetime) -> None:
        """Settle a posted job: its reservation is spent."""
        sql = "UPDATE jobs SET status = 'done', ended_at = ? WHERE id = ? AND status = 'posted'"
        async with self._database.transaction() as connection:
            await connection.execute(sql, now.timestamp(), job_id)

    async def end(self, job_id: str, status: JobStatus, *, now: datetime, reason: str | None = None) -> Job | None:
        """Fail or cancel a job and refund it; None where it has already ended."""
        sql = (
            "UPDATE jobs SET status = ?, ended_at = ?, reason = ? WHERE id = ?"
            f" AND status IN ({_marks(_ACTIVE)}) RETURNING *"
        )
        async with self._database.transaction() as connection:
            row = await connection.one(sql, status, now.timestamp(), reason, job_id, *_ACTIVE)
            if row is None:
                return None
            await _refund(connection, job_id)
            return job_of(row)

    async def ends_not_shown(self) -> list[Job]:
        """Return the jobs that failed or were cancelled, and whose message does not say so, the oldest first."""
        sql = "SELECT * FROM jobs WHERE status IN ('failed', 'cancelled') AND NOT end_shown AND channel_id IS NOT ?"
        return [job_of(row) for row in await self._database.reader.all(f"{sql} ORDER BY ended_at", ON_PAGE)]

    async def erase_message(self, job_id: str) -> None:
        """Note that the job's message must go, so that nothing is shown there again and it goes after a restart too."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE jobs SET end_shown = 1 WHERE id = ?", job_id)
            for column in ("message_id", "ready_message_id"):
                await _erase(connection, job_id, column)

    async def end_shown(self, job_id: str) -> None:
        """Record that a job's end is shown, or cannot be."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE jobs SET end_shown = 1 WHERE id = ?", job_id)

    async def pictures(self, job_id: str) -> list[StoredPicture]:
        """Return the job's pictures in the order of their seeds."""
        sql = f"SELECT {', '.join(_PICTURE)} FROM pictures WHERE job_id = ? ORDER BY number"
        return [
            StoredPicture(**{name: row[name] for name in _PICTURE})
            for row in await self._database.reader.all(sql, job_id)
        ]

    async def forget_pictures(self, job_id: str, *, with_init: bool = True) -> list[str]:
        """Remove the job's pictures, and the one that it starts from, from the database; return their files."""
        async with self._database.transaction() as connection:
            rows = await connection.all("DELETE FROM pictures WHERE job_id = ? RETURNING file", job_id)
            if with_init:
                rows += await connection.all("SELECT init_file FROM jobs WHERE id = ?", job_id)
                await connection.execute("UPDATE jobs SET init_file = NULL WHERE id = ?", job_id)
        return [row[0] for row in rows if row[0] is not None]


async def _check_before(
    connection: Transaction, user_id: int, interaction_id: int | None, limit: int, more: int
) -> None:
    """Raise RepeatedError where the interaction's jobs are there already; an index of the table holds that, too.

    Raise LimitError where with `more` jobs of the person more than `limit` (0: none) would wait or be painted.
    """
    sql = (
        "SELECT COUNT(*) AS waiting, EXISTS (SELECT 1 FROM jobs WHERE interaction_id = ?) AS repeated"
        " FROM jobs WHERE user_id = ? AND status IN ('queued', 'leased')"
    )
    (row,) = await connection.all(sql, interaction_id, user_id)
    if row["repeated"]:
        raise RepeatedError("What this interaction asked for is queued already.")
    waiting: int = row["waiting"]
    if not limit or waiting + more <= limit:
        return
    if waiting >= limit:
        raise LimitError(f"You have {limit} jobs queued, which is the limit: wait for one, or cancel one of them.")
    raise LimitError(
        f"You have {waiting} jobs queued, and {more} more would be over the limit of {limit}: wait for some of them, "
        "or ask for fewer at once."
    )


async def _erase(connection: Transaction, job_id: str, column: str) -> None:
    """Note that the message in this column must go."""
    await connection.execute(
        "INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)"
        f" SELECT {column}, channel_id, guild_id FROM jobs WHERE id = ? AND {column} IS NOT NULL",
        job_id,
    )


async def _refund(connection: Transaction, job_id: str) -> None:
    sql = (
        "UPDATE jobs SET refunded = 1 WHERE id = ? AND NOT refunded RETURNING user_id, guild_id, from_rest, from_extra"
    )
    row = await connection.one(sql, job_id)
    if row is not None:
        account = Account(user_id=row["user_id"], guild_id=row["guild_id"])
        await quotas.give_back(connection, account, Charge(rest=row["from_rest"], extra=row["from_extra"]))


async def _first(connection: Transaction, sql: str, values: tuple[object, ...]) -> Job | None:
    row = await connection.one(sql, *values)
    return job_of(row) if row is not None else None


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
