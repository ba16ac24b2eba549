"""Search of the tag vocabulary by a full-text index; `store.tags.sets` fills it.

A vocabulary is a set of rows whose ids lie in one range, in the order of popularity, so what an index yields first is
what most pictures carry. Nothing is cached: a running bot sees what another process imported with its next look.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pastelbot.prompt.tags.vocabulary import Tag
from pastelbot.store.database import Database, Row
from pastelbot.store.tags.sets import IMPORTED, PER_SET, SHIPPED

_MOST_ALIKE = 600
_HIGHEST = "\U0010ffff"

_CURRENT = (
    f"BETWEEN (SELECT id * {PER_SET} FROM tag_sets WHERE state = 'current')"
    f" AND (SELECT id * {PER_SET} + {PER_SET - 1} FROM tag_sets WHERE state = 'current')"
)
_MATCHING = (
    " FROM tag_words CROSS JOIN tag_spellings s ON s.id = tag_words.rowid"
    f" WHERE tag_words MATCH :match AND tag_words.rowid {_CURRENT}"
)


@dataclass(frozen=True, kw_only=True)
class FoundTag:
    """A tag and the spelling by which it was found; `alias` is None where that was its name."""

    tag: Tag
    alias: str | None = None


@dataclass(frozen=True, kw_only=True)
class VocabularyState:
    """What was imported (empty: nothing) and when (seconds since 1970), and the digest of the shipped tags inside."""

    source: str
    changed_at: float
    shipped: str


class TagStore:
    """All SQL about tags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beginning_with(self, key: str, limit: int, *, whole_word: bool = False) -> list[FoundTag]:
        """Return the most used tags with a spelling that begins so; its last word may go on unless `whole_word`."""
        return await self._matching("^ " + _phrase(key, whole_word=whole_word), limit) if key else []

    async def with_words(self, key: str, limit: int, *, whole_word: bool = False) -> list[FoundTag]:
        """Return the most used tags with a spelling that has all these words, the last one perhaps unfinished."""
        return await self._matching(_words(key, whole_word=whole_word), limit) if key else []

    async def _matching(self, match: str, limit: int) -> list[FoundTag]:
        sql = (
            "SELECT t.*, s.key, s.id = t.id AS by_name FROM (SELECT s.id, s.tag_id, s.key"
            f"{_MATCHING} ORDER BY tag_words.rowid LIMIT :limit) s CROSS JOIN tags t ON t.id = s.tag_id ORDER BY s.id"
        )
        return [_found(row) for row in await self._database.reader.all(sql, match=match, limit=limit)]

    async def popular(self, limit: int) -> list[FoundTag]:
        """Return the most used general tags of the shipped vocabulary."""
        sql = (
            f"SELECT *, '' AS key, 1 AS by_name FROM tags WHERE id {_CURRENT}"
            f" AND origin & {SHIPPED} AND category = 0 ORDER BY id LIMIT :limit"
        )
        return [_found(row) for row in await self._database.reader.all(sql, limit=limit)]

    async def search(self, key: str, category: int | None, *, offset: int, limit: int) -> tuple[list[Tag], int]:
        """Return one page of the tags with all these words in a spelling, and how many there are of them."""
        chosen = f" FROM tags WHERE id IN (SELECT s.tag_id{_MATCHING}) AND (:category IS NULL OR category = :category)"
        if not key:
            return [], 0
        reader, match = self._database.reader, _words(key, whole_word=False)
        page = f"SELECT *{chosen} ORDER BY id LIMIT :limit OFFSET :offset"
        rows = await reader.all(page, match=match, category=category, offset=offset, limit=limit)
        return [_tag(row) for row in rows], await reader.number(
            f"SELECT COUNT(*){chosen}", match=match, category=category
        )

    async def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that are a tag's spelling."""
        sql = (
            "SELECT DISTINCT s.key FROM json_each(:keys) wanted CROSS JOIN tag_spellings s"
            f" ON s.length = length(wanted.value) AND s.key = wanted.value WHERE s.id {_CURRENT}"
        )
        return {str(row["key"]) for row in await self._database.reader.all(sql, keys=json.dumps(list(keys)))}

    async def similar(self, key: str, errors: int) -> list[tuple[int, str]]:
        """Return (id, key) of spellings that may be within so many errors: those that begin or end like the key.

        One error leaves the first or the second half as it is, two of them nearly always the first or the last third.
        Where half a vocabulary ends alike, the most used are returned.
        """
        piece = max(2, (len(key) - 1) // (errors + 1))
        lengths = ",".join(str(number) for number in range(len(key) - errors, len(key) + errors + 1))
        near = f"length IN ({lengths}) AND id {_CURRENT}"
        sql = (
            f"SELECT id, key FROM tag_spellings WHERE {near} AND key >= :head AND key < :head_end"
            f" UNION SELECT id, key FROM tag_spellings WHERE {near} AND backwards >= :tail AND backwards < :tail_end"
            f" ORDER BY id LIMIT {_MOST_ALIKE}"
        )
        head, tail = key[:piece], key[::-1][:piece]
        rows = await self._database.reader.all(
            sql, head=head, head_end=head + _HIGHEST, tail=tail, tail_end=tail + _HIGHEST
        )
        return [(int(row["id"]), str(row["key"])) for row in rows]

    async def spellings_beginning_with(self, key: str, limit: int) -> list[tuple[int, str]]:
        """Return (id, key) of the most used spellings that begin so."""
        sql = f"SELECT s.id, s.key{_MATCHING} ORDER BY tag_words.rowid LIMIT :limit"
        rows = await self._database.reader.all(sql, match="^ " + _phrase(key, whole_word=False), limit=limit)
        return [(int(row["id"]), str(row["key"])) for row in rows]

    async def of_spellings(self, ids: Sequence[int]) -> dict[int, FoundTag]:
        """Return the tags that these spellings belong to."""
        sql = (
            "SELECT t.*, s.key, s.id = t.id AS by_name, s.id AS spelling FROM json_each(:ids) wanted"
            " CROSS JOIN tag_spellings s ON s.id = wanted.value CROSS JOIN tags t ON t.id = s.tag_id"
        )
        rows = await self._database.reader.all(sql, ids=json.dumps(list(ids)))
        return {int(row["spelling"]): _found(row) for row in rows}

    async def state(self) -> VocabularyState | None:
        """Return what the vocabulary was made of; None before the first filling."""
        row = await self._database.reader.one("SELECT * FROM tag_sets WHERE state = 'current'")
        if row is None:
            return None
        return VocabularyState(
            source=str(row["source"]), changed_at=float(row["touched_at"]), shipped=str(row["shipped"])
        )

    async def counts(self) -> dict[int, int]:
        """Return how many tags there are of each category."""
        sql = f"SELECT category, COUNT(*) AS number FROM tags WHERE id {_CURRENT} GROUP BY category ORDER BY category"
        return {int(row["category"]): int(row["number"]) for row in await self._database.reader.all(sql)}

    async def imported(self) -> list[Tag]:
        """Return the tags that were imported, those that are also shipped included."""
        sql = f"SELECT * FROM tags WHERE id {_CURRENT} AND origin & {IMPORTED} ORDER BY id"
        return [_tag(row) for row in await self._database.reader.all(sql)]


def _phrase(key: str, *, whole_word: bool) -> str:
    return _quoted(key) + ("" if whole_word else " *")


def _words(key: str, *, whole_word: bool) -> str:
    """Ask for all words in any order."""
    *others, last = key.split() or [""]
    return " ".join([*map(_quoted, others), _phrase(last, whole_word=whole_word)])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _tag(row: Row) -> Tag:
    aliases = tuple(str(row["aliases"]).split(",")) if row["aliases"] else ()
    return Tag(name=str(row["name"]), category=int(row["category"]), count=int(row["count"]), aliases=aliases)


def _found(row: Row) -> FoundTag:
    return FoundTag(tag=_tag(row), alias=None if row["by_name"] else str(row["key"]))
