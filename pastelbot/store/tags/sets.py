"""Vocabulary sets: replacement of the tag vocabulary while a bot reads it.

A new set is filled in small transactions, which keep no other writer waiting, and becomes the current one in a single
one: who looks sees all of the old vocabulary or all of the new one. What was abandoned is removed by the next filling.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pastelbot.errors import TagFileError
from pastelbot.prompt.tags.vocabulary import Tag, combine, spellings
from pastelbot.store.database import Database

Progress = Callable[[int, int], None]

SHIPPED, IMPORTED = 1, 2
PER_SET = 2**24

_CHUNK = 1000
_MOST_ALIASES = 100
_ABANDONED_SECONDS = 60.0
_BREATH_SECONDS = 0.002


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What a new vocabulary is made of: the shipped tags under the imported ones."""

    shipped: Sequence[Tag]
    digest: str
    imported: Sequence[Tag] = ()
    source: str = ""


class TagSets:
    """Writes vocabularies; `clock` tells seconds since 1970."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def fill(self, filling: Filling, on_progress: Progress = lambda _done, _total: None) -> int:
        """Make a new vocabulary the current one, all at once; return how many tags it has.

        Raises TagFileError where another filling is under way.
        """
        number = await self._begin(filling)
        try:
            await self._remove_others(number)
            rows = await asyncio.to_thread(_rows, filling, number)
            for start in range(0, len(rows), _CHUNK):
                await self._insert(number, rows[start : start + _CHUNK])
                on_progress(min(start + _CHUNK, len(rows)), len(rows))
            await self._switch_to(number)
        except BaseException:
            await self._set_state(number, "old")
            raise
        await self._remove_others(number)
        return len(rows)

    async def _begin(self, filling: Filling) -> int:
        async with self._database.transaction() as connection:
            busy = await connection.value(
                # abs: the clock may have gone back
                "SELECT 1 FROM tag_sets WHERE state = 'filling' AND abs(touched_at - ?) < ?",
                self._clock(),
                _ABANDONED_SECONDS,
            )
            if busy is not None:
                raise TagFileError("Another import of tags is under way: wait a minute, then try again.")
            await connection.execute("UPDATE tag_sets SET state = 'old' WHERE state = 'filling'")
            return await connection.number(
                "INSERT INTO tag_sets (state, touched_at, shipped, source) VALUES ('filling', ?, ?, ?) RETURNING id",
                self._clock(),
                filling.digest,
                filling.source,
            )

    async def _insert(self, number: int, chunk: "Sequence[_Row]") -> None:
        found = [(key_id, row.tag[0], key) for row in chunk for key_id, key in row.keys]
        async with self._database.transaction() as connection:
            await connection.executemany("INSERT INTO tags VALUES (?, ?, ?, ?, ?, ?)", [row.tag for row in chunk])
            await connection.executemany(
                "INSERT INTO tag_spellings VALUES (?, ?, ?, ?, ?)",
                [(key_id, tag_id, key, key[::-1], len(key)) for key_id, tag_id, key in found],
            )
            await connection.executemany(
                "INSERT INTO tag_words (rowid, key) VALUES (?, ?)", [(key_id, key) for key_id, _, key in found]
            )
            await connection.execute("UPDATE tag_sets SET touched_at = ? WHERE id = ?", self._clock(), number)
        await asyncio.sleep(_BREATH_SECONDS)  # another process may be waiting to write

    async def _switch_to(self, number: int) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE tag_sets SET state = 'old' WHERE state = 'current'")
            await connection.execute("UPDATE tag_sets SET state = 'current' WHERE id = ?", number)

    async def _set_state(self, number: int, state: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE tag_sets SET state = ? WHERE id = ?", state, number)

    async def _remove_others(self, number: int) -> None:
        """Remove the sets that are neither current nor this one, a little at a time."""
        sql = "SELECT id FROM tag_sets WHERE state = 'old' AND id <> ?"
        for row in await self._database.reader.all(sql, number):
            first = int(row["id"]) * PER_SET
            while await self._remove_some(first, first + PER_SET - 1):
                pass
            async with self._database.transaction() as connection:
                await connection.execute("DELETE FROM tag_sets WHERE id = ?", row["id"])

    async def _remove_some(self, first: int, last: int) -> bool:
        """Remove a chunk of the spellings in a range, with their tags; False where nothing was left."""
        async with self._database.transaction() as connection:
            chunk = "SELECT id FROM tag_spellings WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
            highest = await connection.value(f"SELECT MAX(id) FROM ({chunk})", first, last, _CHUNK * 2)
            if highest is None:
                return False
            until = (first, highest)
            await connection.execute(
                "INSERT INTO tag_words (tag_words, rowid, key)"
                " SELECT 'delete', id, key FROM tag_spellings WHERE id BETWEEN ? AND ?",
                *until,
            )
            await connection.execute("DELETE FROM tag_spellings WHERE id BETWEEN ? AND ?", *until)
            await connection.execute("DELETE FROM tags WHERE id BETWEEN ? AND ?", *until)
        await asyncio.sleep(_BREATH_SECONDS)
        return True


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One tag as it is stored, and the (id, key) of its spellings."""

    tag: tuple[int, str, int, int, str, int]
    keys: list[tuple[int, str]]


def _rows(filling: Filling, number: int) -> list[_Row]:
    """Return the tags and their spellings with their ids, the most used first."""
    combined = combine([filling.shipped, filling.imported])
    shipped = {tag.name for tag in filling.shipped}
    imported = {tag.name for tag in filling.imported}
    free = number * PER_SET
    rows = []
    for tag in sorted(combined.values(), key=lambda tag: (-tag.count, tag.name)):
        keys = list(enumerate(list(spellings(tag))[:_MOST_ALIASES], start=free))
        origin = SHIPPED * (tag.name in shipped) + IMPORTED * (tag.name in imported)
        rows.append(_Row(tag=(free, tag.name, tag.category, tag.count, ",".join(tag.aliases), origin), keys=keys))
        free += len(keys)
        if free >= (number + 1) * PER_SET:
            raise TagFileError(f"There are too many tags: {PER_SET:,} spellings are the most.")
    return rows
