"""The SQLite file: opened, migrated, written by one connection and read by another.

Coroutines that share a connection share its transaction, so every transaction holds a lock; readers have a
connection of their own that cannot write.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import aiosqlite
import structlog

from pastelbot.errors import DatabaseError, StoreError
from pastelbot.store.failures import store_errors
from pastelbot.store.kept_rows import KeptRows
from pastelbot.store.maintenance.backup import back_up_before_migration
from pastelbot.store.maintenance.checking import WAY_OUT

_MOST_KEPT = 20_000  # owners of settings in memory
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")
_PRAGMAS = (
    "journal_mode = WAL",
    "foreign_keys = ON",
    "wal_autocheckpoint = 8000",  # pages: the commit that moves them into the file waits for the disk
)

log = structlog.get_logger(__name__)

Row = sqlite3.Row
Value = str | int | float | bytes | None


class Reader:
    """Asks questions, and reads each answer in one go.

    A statement that stays open while others read on the same connection would hold all of them at the moment of its
    beginning: under load, no reader would see recent writes. Values stand for `?` in order, or for `:name` by name.
    Everything raises StoreError where the database cannot answer.
    """

    def __init__(self, connection: aiosqlite.Connection, on_damage: Callable[[], None]) -> None:
        self._connection = connection
        self._on_damage = on_damage

    async def all(self, sql: str, *values: object, **named: object) -> list[Row]:
        """Return all rows."""
        with store_errors(self._on_damage):
            rows = await self._connection.execute_fetchall(sql, cast("Iterable[Any]", named or values))
        return list(rows)

    async def one(self, sql: str, *values: object, **named: object) -> Row | None:
        """Return the first row, or None."""
        rows = await self.all(sql, *values, **named)
        return rows[0] if rows else None

    async def value(self, sql: str, *values: object, **named: object) -> Value:
        """Return what is in the first column of the first row; None where there is no row."""
        row = await self.one(sql, *values, **named)
        return cast("Value", row[0]) if row is not None else None

    async def number(self, sql: str, *values: object, **named: object) -> int:
        """Return that value as an integer; 0 where there is none."""
        return int(await self.value(sql, *values, **named) or 0)


class Transaction(Reader):
    """Writes, too: all of it or nothing, and what was written is seen by what is asked afterwards."""

    async def execute(self, sql: str, *values: object, **named: object) -> int:
        """Carry out a statement; return how many rows it changed."""
        with store_errors(self._on_damage):
            cursor = await self._connection.execute(sql, cast("Iterable[Any]", named or values))
        return cursor.rowcount

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Carry out a statement once with each of these values."""
        with store_errors(self._on_damage):
            await self._connection.executemany(sql, cast("Iterable[Iterable[Any]]", rows))


class Database:
    """Two connections to one file: `transaction()` writes, `reader` reads."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self.is_damaged = False  # as far as statements have met it
        self.reader = Reader(reader, self._note_damage)
        self._connections = (reader, writer)
        self._writer = writer
        self._lock = asyncio.Lock()
        self.kept_settings: KeptRows[tuple[str, int], dict[str, Any]] = KeptRows(_MOST_KEPT)  # by scope and owner

    @classmethod
    async def open(
        cls, path: Path, *, busy_seconds: float = 5.0, update: bool = True, durable: bool = True
    ) -> "Database":
        """Open and migrate the file, making it and its folder if need be.

        What is `durable` survives a power cut from the end of its transaction on; otherwise the last ones may be lost.

        Another program's transaction is waited for so long; after that, StorageBusyError is raised. Without `update`
        tables of an older version are refused: a bot of that version may be using them.
        Raises DatabaseError where that is impossible, or where a newer program wrote the file.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            sqlite3.connect(path).close()  # where this fails, aiosqlite would leave a thread that fails once more
            writer = await _connect(path, busy_seconds)
            try:
                await _set(writer, "synchronous = NORMAL")
                await _migrate(writer, path, update=update)
                await _set(writer, f"synchronous = {'FULL' if durable else 'NORMAL'}")
                reader = await _connect(path, busy_seconds)
                await _set(reader, "query_only = ON")
            except BaseException:
                await writer.close()
                raise
        except (OSError, sqlite3.Error) as error:
            damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
            cure = f" {WAY_OUT}" if damaged else ""
            raise DatabaseError(f"The database {path} cannot be opened for writing: {error}.{cure}") from error
        return cls(path, writer, reader)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Give what writes, inside BEGIN IMMEDIATE ... COMMIT; any exception rolls back."""
        transaction = Transaction(self._writer, self._note_damage)
        async with self._lock:
            try:  # a BEGIN that was cancelled still runs, and a COMMIT that failed leaves the transaction open
                await transaction.execute("BEGIN IMMEDIATE")
                yield transaction
                with store_errors(self._note_damage):
                    await self._writer.commit()
            except BaseException:
                with suppress(StoreError), store_errors():
                    await self._writer.rollback()
                raise

    def _note_damage(self) -> None:
        if not self.is_damaged:
            log.error("the database is damaged", database=str(self.path), cure=WAY_OUT)
        self.is_damaged = True

    async def close(self) -> None:
        """Close both connections."""
        for connection in self._connections:
            await connection.close()


async def _connect(path: Path, busy_seconds: float) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, timeout=busy_seconds, isolation_level=None)
    connection._thread.daemon = True  # noqa: SLF001 - or a program that stops without closing would never end
    await connection
    connection.row_factory = sqlite3.Row
    try:
        for pragma in _PRAGMAS:
            await _set(connection, pragma)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _set(connection: aiosqlite.Connection, pragma: str) -> None:
    async with connection.execute(f"PRAGMA {pragma}") as cursor:
        await cursor.fetchall()  # an open statement would keep the migration from committing


def migrations() -> list[tuple[int, str]]:
    """Return every migration as (version, SQL), in order."""
    found = []
    for file in files("pastelbot.store").joinpath("migrations").iterdir():
        match = _MIGRATION.fullmatch(file.name)
        if match is not None:
            found.append((int(match[1]), file.read_text(encoding="utf-8")))
    return sorted(found)


async def _migrate(connection: aiosqlite.Connection, path: Path, *, update: bool) -> None:
    async with connection.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row is not None else 0
    known = migrations()
    if version > known[-1][0]:
        raise DatabaseError(
            f"The database {path} was written by a newer Pastelbot (version {version} of its tables, "
            f"this one knows {known[-1][0]}): update Pastelbot."
        )
    if 0 < version < known[-1][0]:
        if not update:
            raise DatabaseError(f"The database {path} is of an older Pastelbot: start the bot once, which updates it.")
        await asyncio.to_thread(back_up_before_migration, path, version, datetime.now(UTC))
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
