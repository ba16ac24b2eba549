"""What is kept about a person: in which tables, and what becomes of it when they want to be forgotten.

Every column of the database that holds a person's id is named here; a test sees to it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pastelbot.store.database import Database

_BATCH = 50
_LARGE = 100_000  # a request of more characters has a picture to start from

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class _Personal:
    """Rows about a person. They are deleted, but for those with `kept`, the reason, or with `becomes`, what is set."""

    table: str
    column: str = "user_id"
    where: str = "1"
    kept: str | None = None
    becomes: str | None = None

    @property
    def condition(self) -> str:
        """Return SQL that finds one person's rows."""
        return f"{self.column} = ? AND {self.where}"


_QUOTA = "so that being forgotten gives no fresh allowance"
_LOG = "so that moderators can tell who did what; it has no prompts and no pictures"

PERSONAL = (
    _Personal(table="votes"),
    _Personal(table="gallery"),
    _Personal(table="confirmations"),
    _Personal(table="presets", column="owner_id", where="guild_id = 0"),
    _Personal(table="presets", column="owner_id", where="guild_id <> 0", becomes="owner_id = 0"),
    _Personal(table="settings", column="id", where="scope = 'user'"),
    _Personal(table="jobs"),
    _Personal(table="web_tickets"),
    _Personal(table="web_accounts"),
    _Personal(table="balances", kept=_QUOTA),
    _Personal(table="grants", kept=_QUOTA),
    _Personal(table="grants", column="granted_by", kept=_LOG),
    _Personal(table="blocks", kept="so that being forgotten ends no block"),
    _Personal(table="audit", kept=_LOG),
    _Personal(table="audit", column="target_id", kept=_LOG),
)


# Columns of a job's messages, and of the channels that they are in.
_MESSAGES = (
    ("message_id", "channel_id"),
    ("ready_message_id", "channel_id"),
    ("review_message_id", "review_channel_id"),
)


@dataclass(frozen=True, kw_only=True)
class PersonalPicture:
    """A picture in an export; `file` None was swept away."""

    job_id: str
    number: int
    file: str | None
    size: int
    seed: int
    infotext: str


@dataclass(frozen=True, kw_only=True)
class StartPicture:
    """The picture that a job was painted from, and its size in bytes."""

    job_id: str
    file: str
    size: int


class PersonalStore:
    """All reading and deleting of what is kept about one person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, user_id: int) -> dict[str, list[Row]]:
        """Return all rows about a person by table, but for their pictures; requests come without pictures in them."""
        found: dict[str, list[Row]] = {}
        for personal in PERSONAL:
            rows = found.setdefault(personal.table, [])
            rows += await (self._jobs(user_id) if personal.table == "jobs" else self._rows(personal, user_id))
        return found

    async def active_jobs(self, user_id: int) -> list[str]:
        """Return a person's jobs that have not ended."""
        sql = "SELECT id FROM jobs WHERE user_id = ? AND status NOT IN ('done', 'failed', 'cancelled')"
        return [row["id"] for row in await self._database.reader.all(sql, user_id)]

    async def pictures(self, user_id: int) -> list[PersonalPicture]:
        """Return a person's pictures, the newest first; withheld ones are not theirs to see yet."""
        sql = (
            "SELECT p.job_id, p.number, p.file, p.size, p.seed, p.infotext FROM jobs j"
            " JOIN pictures p ON p.job_id = j.id WHERE j.user_id = ? AND coalesce(j.review, '') <> 'open'"
            " ORDER BY j.created_at DESC, j.id, p.number"
        )
        return [PersonalPicture(**dict(row)) for row in await self._database.reader.all(sql, user_id)]

    async def start_pictures(self, user_id: int) -> list[StartPicture]:
        """Return which jobs of a person were painted from a picture, the newest first."""
        sql = (
            "SELECT id AS job_id, init_file AS file, init_size AS size FROM jobs"
            " WHERE user_id = ? AND init_file IS NOT NULL ORDER BY created_at DESC, id"
        )
        return [StartPicture(**dict(row)) for row in await self._database.reader.all(sql, user_id)]

    async def forget(self, user_id: int) -> list[str]:
        """Delete what is not kept; return the picture files that the person had. Messages are marked to be deleted."""
        async with self._database.transaction() as connection:
            for message, channel in _MESSAGES:
                await connection.execute(
                    f"INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id) SELECT {message}, {channel},"
                    f" guild_id FROM jobs WHERE user_id = ? AND {message} IS NOT NULL AND {channel} IS NOT NULL",
                    user_id,
                )
            sql = (
                "SELECT file FROM pictures WHERE job_id IN (SELECT id FROM jobs WHERE user_id = :user)"
                " UNION SELECT init_file FROM jobs WHERE user_id = :user"
                " UNION SELECT init_file FROM confirmations WHERE user_id = :user"
            )
            rows = await connection.all(sql, user=user_id)
            for personal in PERSONAL:
                if personal.becomes is not None:
                    sql = f"UPDATE {personal.table} SET {personal.becomes} WHERE {personal.condition}"
                    await connection.execute(sql, user_id)
                elif personal.kept is None:
                    await connection.execute(f"DELETE FROM {personal.table} WHERE {personal.condition}", user_id)
        return [row["file"] for row in rows if row["file"] is not None]

    async def _rows(self, personal: _Personal, user_id: int) -> list[Row]:
        sql = f"SELECT * FROM {personal.table} WHERE {personal.condition}"
        return [dict(row) for row in await self._database.reader.all(sql, user_id)]

    async def _jobs(self, user_id: int) -> list[Row]:
        """Return a person's jobs; a few at a time, because requests can be large."""
        sql = (
            "SELECT *, CASE WHEN length(request) > ? THEN json_remove(request, '$.init.file') ELSE request END AS slim"
            f" FROM jobs WHERE user_id = ? ORDER BY created_at, id LIMIT {_BATCH} OFFSET ?"
        )
        found: list[Row] = []
        for offset in range(0, await self._count(user_id), _BATCH):
            found += [_readable(dict(row)) for row in await self._database.reader.all(sql, _LARGE, user_id, offset)]
        return found

    async def _count(self, user_id: int) -> int:
        return await self._database.reader.number("SELECT COUNT(*) FROM jobs WHERE user_id = ?", user_id)


def _readable(row: dict[str, object]) -> Row:
    """Return a job's row with its request as an object, without the picture that it starts from."""
    request = json.loads(str(row.pop("slim")))
    if request.get("init"):
        request["init"].pop("file", None)
    return {**row, "request": request}
