"""Job rows: their states, and the quota that each state holds.

A job's row and its reservation change in the same transaction, so a crash between them is impossible. A transition
names the states it starts from; where the job is in none of them any more, nothing happens and the answer says so.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

import aiosqlite
from pydantic import TypeAdapter

from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest, Job, JobOptions, JobStatus, Picture, ReplyTarget
from pastelbot.store import quotas
from pastelbot.store.database import Database

_REQUEST = TypeAdapter(GenerationRequest)
_ACTIVE = (JobStatus.QUEUED, JobStatus.LEASED, JobStatus.RENDERED, JobStatus.POSTED)


@dataclass(frozen=True, kw_only=True)
class StoredPicture:
    """A picture on disk; `rating` means what `Picture.rating` means.

    `file` is relative to the pictures folder; None: it was there too long and was swept away. `size` is its bytes.
    """

    number: int
    file: str | None
    size: int
    seed: int
    width: int
    height: int
    infotext: str
    rating: str | None = None


_PICTURE = tuple(field.name for field in fields(StoredPicture))


class JobStore:
    """All reading and writing of jobs, their pictures and their quota."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        user_id: int,
        request: GenerationRequest,
        reply: ReplyTarget,
        *,
        now: datetime,
        daily_limit: int,
        waiting_limit: int = 0,
        options: JobOptions | None = None,
    ) -> Job:
        """Reserve the quota and queue the job, both or neither.

        Raises QuotaError where fewer than `request.count` pictures are left of `daily_limit`, and LimitError where
        `waiting_limit` jobs of the person wait or are painted already; a limit of 0 is none.
        """
        job = Job(
            id=secrets.token_hex(6),
            user_id=user_id,
            request=request,
            status=JobStatus.QUEUED,
            created_at=now,
            reply=reply,
            options=options or JobOptions(),
        )
        async with self._database.transaction() as connection:
            await _check_waiting(connection, user_id, waiting_limit)
            day = quotas.day_of(now)
            await quotas.reserve(connection, user_id, day, request.count, daily_limit)
            await connection.execute(
                "INSERT INTO jobs (id, user_id, request, status, created_at, guild_id, channel_id, message_id, cost,"
                " day, spoiler, private, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    user_id,
                    json.dumps(asdict(request)),
                    job.status,
                    now.timestamp(),
                    reply.guild_id,
                    reply.channel_id,
                    reply.message_id,
                    request.count,
                    day,
                    job.options.spoiler,
                    job.options.private,
                    job.options.origin,
                ),
            )
        return job

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None where there is none of that id."""
        async with self._database.reader.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)) as cursor:
            row = await cursor.fetchone()
        return _job(row) if row is not None else None

    async def with_status(self, *statuses: JobStatus) -> list[Job]:
        """Return the jobs in these states, oldest first."""
        sql = f"SELECT * FROM jobs WHERE status IN ({_marks(statuses)}) ORDER BY created_at, rowid"
        async with self._database.reader.execute(sql, statuses) as cursor:
            return [_job(row) for row in await cursor.fetchall()]

    async def last_served(self, user_ids: Iterable[int]) -> dict[int, float]:
        """Return when each of these people last had a job leased, in seconds since 1970; others are missing."""
        wanted = tuple(set(user_ids))
        sql = f"SELECT user_id, MAX(leased_at) FROM jobs WHERE user_id IN ({_marks(wanted)}) GROUP BY user_id"
        async with self._database.reader.execute(sql, wanted) as cursor:
            return {row[0]: row[1] for row in await cursor.fetchall() if row[1] is not None}

    async def lease(self, job_ids: Sequence[str], *, now: datetime) -> list[Job]:
        """Take queued jobs for a worker; return those that were still queued."""
        leased = []
        async with self._database.transaction() as connection:
            for job_id in job_ids:
                sql = "UPDATE jobs SET status = 'leased', leased_at = ? WHERE id = ? AND status = 'queued' RETURNING *"
                async with connection.execute(sql, (now.timestamp(), job_id)) as cursor:
                    leased += [_job(row) for row in await cursor.fetchall()]
        return leased

    async def requeue(self, job_id: str, *, crashed: bool) -> Job | None:
        """Put a leased job back in line; a crash counts as an attempt."""
        sql = (
            "UPDATE jobs SET status = 'queued', attempts = attempts + ? WHERE id = ? AND status = 'leased' RETURNING *"
        )
        async with self._database.transaction() as connection:
            return await _first(connection, sql, (int(crashed), job_id))

    async def set_message(self, job_id: str, message_id: int) -> None:
        """Remember which message shows the job."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE jobs SET message_id = ? WHERE id = ?", (message_id, job_id))

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

    async def posted(self, job_id: str, message_id: int) -> None:
        """Record the message in which Discord has the pictures."""
        sql = "UPDATE jobs SET status = 'posted', message_id = ? WHERE id = ? AND status = 'rendered'"
        async with self._database.transaction() as connection:
            await connection.execute(sql, (message_id, job_id))

    async def done(self, job_id: str, *, now: datetime) -> None:
        """Settle a posted job: its reservation is spent."""
        sql = "UPDATE jobs SET status = 'done', ended_at = ? WHERE id = ? AND status = 'posted'"
        async with self._database.transaction() as connection:
            await connection.execute(sql, (now.timestamp(), job_id))

    async def end(self, job_id: str, status: JobStatus, *, now: datetime, reason: str | None = None) -> Job | None:
        """Fail or cancel a job and refund it; None where it has already ended."""
        sql = (
            "UPDATE jobs SET status = ?, ended_at = ?, reason = ? WHERE id = ?"
            f" AND status IN ({_marks(_ACTIVE)}) RETURNING *"
        )
        async with self._database.transaction() as connection:
            async with connection.execute(sql, (status, now.timestamp(), reason, job_id, *_ACTIVE)) as cursor:
                row = await cursor.fetchone()
            if row is None:
                return None
            await quotas.refund(connection, row["user_id"], row["day"], row["cost"])
            return _job(row)

    async def pictures(self, job_id: str) -> list[StoredPicture]:
        """Return the job's pictures in the order of their seeds."""
        sql = f"SELECT {', '.join(_PICTURE)} FROM pictures WHERE job_id = ? ORDER BY number"
        async with self._database.reader.execute(sql, (job_id,)) as cursor:
            return [StoredPicture(**{name: row[name] for name in _PICTURE}) for row in await cursor.fetchall()]

    async def forget_pictures(self, job_id: str) -> list[str]:
        """Remove the job's pictures from the database; return the files that they had."""
        sql = "DELETE FROM pictures WHERE job_id = ? RETURNING file"
        async with self._database.transaction() as connection, connection.execute(sql, (job_id,)) as cursor:
            return [row["file"] for row in await cursor.fetchall() if row["file"] is not None]

    async def used(self, user_id: int, *, now: datetime) -> int:
        """Return how many pictures of the day's quota are reserved or spent."""
        return await quotas.used(self._database.reader, user_id, quotas.day_of(now))


def content_name(content: bytes) -> str:
    """Return the name of a picture file with that content, in two levels of folders: `ab/cd/<sha256>.png`."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest}.png"


def picture_file(number: int, picture: Picture) -> StoredPicture:
    """Return where the picture belongs on disk, by what is in it: the same bytes are one file."""
    return StoredPicture(
        number=number,
        file=content_name(picture.png),
        size=len(picture.png),
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        infotext=picture.infotext,
        rating=picture.rating,
    )


async def _check_waiting(connection: aiosqlite.Connection, user_id: int, limit: int) -> None:
    """Raise LimitError where as many of the person's jobs as `limit` (0: none) wait or are painted."""
    sql = "SELECT COUNT(*) FROM jobs WHERE user_id = ? AND status IN ('queued', 'leased')"
    async with connection.execute(sql, (user_id,)) as cursor:
        row = await cursor.fetchone()
    if row is not None and 0 < limit <= row[0]:
        raise LimitError(f"You have {limit} jobs in line, which is the limit: wait for one, or cancel one of them.")


async def _first(connection: aiosqlite.Connection, sql: str, values: tuple[object, ...]) -> Job | None:
    async with connection.execute(sql, values) as cursor:
        row = await cursor.fetchone()
    return _job(row) if row is not None else None


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _job(row: sqlite3.Row) -> Job:
    reply = None
    if row["channel_id"] is not None:
        reply = ReplyTarget(guild_id=row["guild_id"], channel_id=row["channel_id"], message_id=row["message_id"])
    return Job(
        id=row["id"],
        user_id=row["user_id"],
        request=_REQUEST.validate_json(row["request"]),
        status=JobStatus(row["status"]),
        attempts=row["attempts"],
        created_at=datetime.fromtimestamp(row["created_at"], tz=UTC),
        reply=reply,
        options=JobOptions(spoiler=bool(row["spoiler"]), private=bool(row["private"]), origin=row["origin"]),
        reason=row["reason"],
        seconds=row["seconds"],
    )
