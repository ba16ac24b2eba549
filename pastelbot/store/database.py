"""The SQLite file: opened, migrated, written by one connection and read by another.

Coroutines that share a connection share its transaction, so every transaction holds a lock; readers have a
connection of their own that cannot write.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import aiosqlite

from pastelbot.errors import DatabaseError

_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "wal_autocheckpoint = 8000",  # pages: the commit that moves them into the file waits for the disk
)


Values = Sequence[object] | Mapping[str, object]


class Rows:
    """The answer to a question."""

    def __init__(self, rows: list[sqlite3.Row]) -> None:
        self._rows = rows

    async def fetchone(self) -> sqlite3.Row | None:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    async def fetchall(self) -> list[sqlite3.Row]:
        """Return all rows."""
        return self._rows


class Reader:
    """Reads each answer in one go.

    A statement that stays open while others read on the same connection would hold all of them at the moment of its
    beginning: under load, nobody would see what was just written.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute_fetchall(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """Return the rows of an answer."""
        return list(await self._connection.execute_fetchall(sql, cast("Iterable[Any]", values)))

    @asynccontextmanager
    async def execute(self, sql: str, values: Values = ()) -> AsyncIterator[Rows]:
        """Give an answer, complete, to fetch rows from."""
        yield Rows(await self.execute_fetchall(sql, values))

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


class Database:
    """Two connections to one file: `transaction()` writes, `reader` reads."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._lock = asyncio.Lock()
        self.reader = Reader(reader)

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open and migrate the file, making it and its folder if need be.

        Raises DatabaseError where that is impossible, or where a newer program wrote the file.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            sqlite3.connect(path).close()  # where this fails, aiosqlite would leave a thread that fails once more
            writer = await _connect(path)
            try:
                await _migrate(writer, path)
                reader = await _connect(path)
                async with reader.execute("PRAGMA query_only = ON"):
                    pass
            except BaseException:
                await writer.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(f"The database {path} cannot be opened for writing: {error}.") from error
        return cls(writer, reader)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give the writing connection inside BEGIN IMMEDIATE ... COMMIT; any exception rolls back."""
        async with self._lock:
            await self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                await self._writer.rollback()
                raise
            await self._writer.commit()

    async def close(self) -> None:
        """Close both connections."""
        await self.reader.close()
        await self._writer.close()


async def _connect(path: Path) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, isolation_level=None)
    connection._thread.daemon = True  # noqa: SLF001 - or a program that stops without closing would never end
    await connection
    connection.row_factory = sqlite3.Row
    try:
        for pragma in _PRAGMAS:
            async with connection.execute(f"PRAGMA {pragma}") as cursor:
                await cursor.fetchall()  # an open statement would keep the migration from committing
    except BaseException:
        await connection.close()
        raise
    return connection


def migrations() -> list[tuple[int, str]]:
    """Return every migration as (version, SQL), in order."""
    found = []
    for file in files("pastelbot.store").joinpath("migrations").iterdir():
        match = _MIGRATION.fullmatch(file.name)
        if match is not None:
            found.append((int(match[1]), file.read_text(encoding="utf-8")))
    return sorted(found)


async def _migrate(connection: aiosqlite.Connection, path: Path) -> None:
    async with connection.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row is not None else 0
    known = migrations()
    if version > known[-1][0]:
        raise DatabaseError(
            f"The database {path} was written by a newer Pastelbot (version {version} of its tables, "
            f"this one knows {known[-1][0]}): update Pastelbot."
        )
    for number, sql in known:
        if number > version:
            await _apply(connection, number, sql)


async def _apply(connection: aiosqlite.Connection, number: int, sql: str) -> None:
    """Run one migration: its tables and its version number arrive together or not at all."""
    try:
        await connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
    except BaseException:
        await connection.rollback()
        raise
