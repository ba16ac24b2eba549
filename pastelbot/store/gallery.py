"""Gallery: shared pictures of each server, votes, search, and the ancestry of pictures."""

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from pastelbot.records import Job
from pastelbot.store.database import Database, Row

_WEEK = timedelta(days=7)
_ANCESTORS = 50
_TERMS = 16
# Scripts that put no spaces between words: the index has whole runs of them, so what is within one is looked for.
_RUNS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_COLUMNS = (
    "g.id, g.guild_id, g.user_id, g.job_id, g.number, g.adult, g.spoiler, g.prompt, g.shared_at, g.channel_id,"
    " g.message_id, p.file, p.width, p.height, p.seed, (SELECT COUNT(*) FROM votes v WHERE v.entry_id = g.id) AS votes"
)
_FROM = " FROM gallery g JOIN pictures p ON p.job_id = g.job_id AND p.number = g.number"


class View(enum.StrEnum):
    """What of the gallery is looked at, and in which order."""

    NEWEST = "newest"
    WEEK = "week"  # shared in the last seven days, most votes first
    TOP = "top"
    MINE = "mine"


_ORDER = {
    View.NEWEST: "g.id DESC",
    View.WEEK: "votes DESC, g.id DESC",
    View.TOP: "votes DESC, g.id DESC",
    View.MINE: "g.id DESC",
}


@dataclass(frozen=True, kw_only=True)
class GalleryEntry:
    """A shared picture; `number` 0 is its job's first, `file` is relative to the pictures folder."""

    id: int
    guild_id: int
    user_id: int
    job_id: str
    number: int
    adult: bool
    spoiler: bool
    prompt: str
    shared_at: datetime
    channel_id: int | None
    message_id: int | None
    file: str | None
    width: int
    height: int
    seed: int
    votes: int


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for, by whom; `tag` is written as tags are compared, an empty text finds everything.

    `upto` is the newest entry that counts, so that pages stay as they are while others share; None is every entry.
    """

    guild_id: int
    user_id: int
    adult: bool
    view: View = View.NEWEST
    tag: str = ""
    text: str = ""
    upto: int | None = None


@dataclass(frozen=True, kw_only=True)
class Ancestor:
    """A job that another one was made from.

    `user_id` is None where it was forgotten, and `message_id` where its pictures were deleted.
    """

    job_id: str
    user_id: int | None = None
    guild_id: int | None = None
    channel_id: int | None = None
    message_id: int | None = None
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class PendingDeletion:
    """A message of the bot's own that is to be deleted in Discord."""

    message_id: int
    channel_id: int
    guild_id: int | None


_ENTRY = tuple(field.name for field in fields(GalleryEntry))


class GalleryStore:
    """All reading and writing of the gallery."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def share(
        self, job: Job, number: int, *, guild_id: int, adult: bool, tags: Iterable[str], now: datetime
    ) -> int | None:
        """Put a picture into the gallery; return the entry's id, None where it is there already or was deleted."""
        prompt, spoiler = job.request.prompt, job.options.spoiler
        values = (guild_id, job.user_id, job.id, number, adult, spoiler, prompt, now.timestamp(), job.id, number)
        async with self._database.transaction() as connection:
            row = await connection.one(
                "INSERT INTO gallery (guild_id, user_id, job_id, number, adult, spoiler, prompt, shared_at)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM pictures WHERE job_id = ? AND number = ?)"
                " ON CONFLICT DO NOTHING RETURNING id",
                *values,
            )
            entry_id = int(row["id"]) if row is not None else None
            if entry_id is not None:
                sql = "INSERT OR IGNORE INTO gallery_tags VALUES (?, ?)"
                await connection.executemany(sql, [(tag, entry_id) for tag in tags])
        return entry_id

    async def set_post(self, entry_id: int, channel_id: int, message_id: int) -> bool:
        """Remember the message that shows an entry in the gallery's channel; False where the entry is gone."""
        sql = "UPDATE gallery SET channel_id = ?, message_id = ? WHERE id = ?"
        async with self._database.transaction() as connection:
            return await connection.execute(sql, channel_id, message_id, entry_id) > 0

    async def set_copies(self, entry_ids: Iterable[int], *, message_id: int, channel_id: int, guild_id: int) -> None:
        """Remember a message that shows these entries; where one of them is gone already, it is to be deleted."""
        entry_ids = set(entry_ids)
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM gallery_copies WHERE message_id = ?", message_id)
            there = 0
            for entry_id in entry_ids:
                sql = "INSERT INTO gallery_copies SELECT id, ?, ?, ? FROM gallery WHERE id = ?"
                there += await connection.execute(sql, message_id, channel_id, guild_id, entry_id)
            if there < len(entry_ids):
                sql = "INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id) VALUES (?, ?, ?)"
                await connection.execute(sql, message_id, channel_id, guild_id)

    async def forget_posts(self, channel_id: int) -> None:
        """Forget the messages in a channel that is gone; what they showed stays in the gallery."""
        async with self._database.transaction() as connection:
            sql = "UPDATE gallery SET channel_id = NULL, message_id = NULL WHERE channel_id = ?"
            await connection.execute(sql, channel_id)
            for table in ("erasures", "gallery_copies"):
                await connection.execute(f"DELETE FROM {table} WHERE channel_id = ?", channel_id)

    async def unshare(self, entry_id: int) -> None:
        """Take an entry out, with its votes; its message will be deleted."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM gallery WHERE id = ?", entry_id)

    async def restrict(self, entry_ids: Iterable[int]) -> None:
        """Show these entries in age-restricted channels alone."""
        async with self._database.transaction() as connection:
            sql = "UPDATE gallery SET adult = 1 WHERE id = ?"
            await connection.executemany(sql, [(entry_id,) for entry_id in entry_ids])

    async def get(self, entry_id: int) -> GalleryEntry | None:
        """Return the entry, or None."""
        return await self._first("g.id = ?", (entry_id,))

    async def shared(self, job_id: str) -> dict[int, int]:
        """Return the numbers of a job's pictures that are in a gallery, counted from 0, with their entries."""
        rows = await self._database.reader.all("SELECT number, id FROM gallery WHERE job_id = ?", job_id)
        return {row["number"]: row["id"] for row in rows}

    async def by_message(self, message_id: int) -> GalleryEntry | None:
        """Return the entry that a message in the gallery's channel shows, or None."""
        return await self._first("g.message_id = ?", (message_id,))

    async def find(self, search: Search, *, offset: int, limit: int, now: datetime) -> tuple[list[GalleryEntry], int]:
        """Return one page of what is found, and how many there are in all."""
        where, values = _conditions(search, now)
        total = await self._database.reader.number(f"SELECT COUNT(*) FROM gallery g WHERE {where}", *values)
        sql = f"SELECT {_COLUMNS}{_FROM} WHERE {where} ORDER BY {_ORDER[search.view]} LIMIT ? OFFSET ?"
        return [_entry(row) for row in await self._database.reader.all(sql, *values, limit, offset)], total

    async def newest(self, guild_id: int) -> int:
        """Return the number of a server's newest entry, 0 where there is none."""
        return await self._database.reader.number("SELECT MAX(id) FROM gallery WHERE guild_id = ?", guild_id)

    async def best(
        self, guild_id: int, *, since: datetime, until: datetime, adult: bool, limit: int
    ) -> list[GalleryEntry]:
        """Return the entries shared in that time that have votes, most votes first."""
        sql = (
            f"SELECT {_COLUMNS}{_FROM} WHERE g.guild_id = ? AND g.shared_at >= ? AND g.shared_at < ?"
            " AND g.adult <= ? AND votes > 0 ORDER BY votes DESC, g.id LIMIT ?"
        )
        values = (guild_id, since.timestamp(), until.timestamp(), adult, limit)
        return [_entry(row) for row in await self._database.reader.all(sql, *values)]

    async def toggle_vote(self, entry_id: int, user_id: int, *, now: datetime) -> bool:
        """Vote for an entry, or take the vote back; return whether there is one now."""
        async with self._database.transaction() as connection:
            sql = "DELETE FROM votes WHERE entry_id = ? AND user_id = ?"
            if await connection.execute(sql, entry_id, user_id):
                return False
            sql = "INSERT INTO votes SELECT id, ?, ? FROM gallery WHERE id = ?"
            return await connection.execute(sql, user_id, now.timestamp(), entry_id) > 0

    async def common_tags(self, search: Search, beginning: str, *, limit: int) -> list[str]:
        """Return the tags of a server's gallery that begin so, the most used first."""
        sql = (
            "SELECT tag FROM gallery_tags t JOIN gallery g ON g.id = t.entry_id WHERE g.guild_id = ? AND g.adult <= ?"
            " AND substr(tag, 1, ?) = ? GROUP BY tag ORDER BY COUNT(*) DESC, tag LIMIT ?"
        )
        values = (search.guild_id, search.adult, len(beginning), beginning, limit)
        return [row["tag"] for row in await self._database.reader.all(sql, *values)]

    async def ancestors(self, job_id: str) -> list[Ancestor]:
        """Return what a job was made from, the nearest first."""
        sql = (
            "WITH RECURSIVE line (id, depth) AS (SELECT origin, 1 FROM jobs WHERE id = :job UNION"
            " SELECT j.origin, depth + 1 FROM line JOIN jobs j ON j.id = line.id WHERE depth < :most)"
            " SELECT line.id AS job_id, user_id, guild_id, channel_id, COALESCE(private, 0) AS private,"
            " CASE WHEN EXISTS (SELECT 1 FROM pictures p WHERE p.job_id = j.id) THEN message_id END AS message_id"
            " FROM line LEFT JOIN jobs j ON j.id = line.id WHERE line.id IS NOT NULL ORDER BY depth"
        )
        rows = await self._database.reader.all(sql, job=job_id, most=_ANCESTORS)
        return [Ancestor(**{**dict(row), "private": bool(row["private"])}) for row in rows]

    async def erasures(self, *, limit: int) -> list[PendingDeletion]:
        """Return messages that are to be deleted in Discord."""
        return [
            PendingDeletion(**dict(row))
            for row in await self._database.reader.all("SELECT * FROM erasures LIMIT ?", limit)
        ]

    async def erased(self, message_id: int) -> None:
        """Forget a message that is gone."""
        async with self._database.transaction() as connection:
            for table in ("erasures", "gallery_copies"):
                await connection.execute(f"DELETE FROM {table} WHERE message_id = ?", message_id)

    async def _first(self, where: str, values: Sequence[object]) -> GalleryEntry | None:
        row = await self._database.reader.one(f"SELECT {_COLUMNS}{_FROM} WHERE {where}", *values)
        return _entry(row) if row is not None else None


def match_query(text: str) -> str:
    """Return FTS5's query for all words of a text, each from its beginning; empty where there are none.

    Words are all that is taken from what a person wrote, and each is quoted, so nothing in it is an operator.
    """
    return " ".join(f'"{word}"*' for word in _words(text) if not _RUNS.search(word))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)[:_TERMS]


def _conditions(search: Search, now: datetime) -> tuple[str, list[object]]:
    conditions: list[tuple[str, object]] = [("g.guild_id = ?", search.guild_id), ("g.adult <= ?", search.adult)]
    if search.upto is not None:
        conditions.append(("g.id <= ?", search.upto))
    if search.view is View.MINE:
        conditions.append(("g.user_id = ?", search.user_id))
    if search.view is View.WEEK:
        conditions.append(("g.shared_at >= ?", (now - _WEEK).timestamp()))
    if search.tag:
        conditions.append(("g.id IN (SELECT entry_id FROM gallery_tags WHERE tag = ?)", search.tag))
    query = match_query(search.text)
    if query:
        conditions.append(("g.id IN (SELECT rowid FROM gallery_search WHERE gallery_search MATCH ?)", query))
    words = _words(search.text)
    inside = [word for word in words if _RUNS.search(word)] if words else [search.text.strip()]
    conditions += [("instr(g.prompt, ?) > 0", part) for part in inside if part]
    return " AND ".join(sql for sql, _ in conditions), [value for _, value in conditions]


def _entry(row: Row) -> GalleryEntry:
    values = {name: row[name] for name in _ENTRY}
    shared_at = datetime.fromtimestamp(values.pop("shared_at"), tz=UTC)
    adult, spoiler = bool(values.pop("adult")), bool(values.pop("spoiler"))
    return GalleryEntry(**values, shared_at=shared_at, adult=adult, spoiler=spoiler)
