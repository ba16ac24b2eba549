"""Databases as text: dumped so that the same rows give the same file, and restored.

The files in `tests/store/data` are databases as an earlier version left them, one of each version of the tables.
They are not edited. A migration is recorded by making the newest one a database of the version that it leads to,
adding rows to what is new, and dumping that:

    python tests/helpers/schema_dumps.py --upgrade DATABASE
    python tests/helpers/schema_dumps.py DATABASE tests/store/data/schema_NN.sql
"""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from pastelbot.store.database import Database

DATA = Path(__file__).parents[1] / "store" / "data"

_OBJECTS = "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"


def recorded() -> dict[int, Path]:
    """Return the recorded databases by the version of their tables."""
    return {int(path.stem.rpartition("_")[2]): path for path in sorted(DATA.glob("schema_*.sql"))}


def dump(database: sqlite3.Connection) -> str:
    """Return the SQL that makes a database with these tables, rows and version.

    Full-text indexes here have their texts in a table beside them, so they are built again instead of written down.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    lines = ["BEGIN;", *_tables(database), *_counters(database)]
    for kind in ("index", "trigger"):
        lines += [f"{sql};" for _name, sql in database.execute(f"{_OBJECTS} ORDER BY rowid", [kind])]
    return "\n".join([*lines, f"PRAGMA user_version = {version};", "COMMIT;", ""])


def restore(sql: str, path: Path) -> None:
    """Make the database file of a dump."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(sql)


def schema(path: Path) -> list[tuple[str, str, str, str]]:
    """Return everything that a database file is made of but its rows: kind, name, table, SQL."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name"
        return database.execute(sql).fetchall()


def _tables(database: sqlite3.Connection) -> Iterator[str]:
    """Yield plain tables with their rows, then full-text indexes, which are filled from them."""
    kinds = {name: kind for _schema, name, kind, *_ in database.execute("PRAGMA table_list")}
    tables = database.execute(f"{_OBJECTS} ORDER BY rowid", ["table"]).fetchall()
    for name, sql in tables:
        if kinds[name] == "table":
            yield f"{sql};"
            yield from _rows(database, name)
    for name, sql in tables:
        if kinds[name] == "virtual":
            yield f"{sql};"
            yield f"INSERT INTO {name} ({name}) VALUES ('rebuild');"  # noqa: S608 - a table's name


def _rows(database: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = list(database.execute(f"PRAGMA table_info({table})"))
    quoted = " || ', ' || ".join(f"quote({column[1]})" for column in columns)
    keys = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
    order = ", ".join(keys) or "rowid"
    for (values,) in database.execute(f"SELECT {quoted} FROM {table} ORDER BY {order}"):  # noqa: S608 - names of its own
        yield f"INSERT INTO {table} VALUES ({values});"  # noqa: S608 - quoted by SQLite


def _counters(database: sqlite3.Connection) -> Iterator[str]:
    """Yield the highest numbers that were given in tables where none is given twice."""
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        yield "DELETE FROM sqlite_sequence;"
        yield from _rows(database, "sqlite_sequence")


def upgrade(path: Path) -> None:
    """Make a database file of the newest recording, and migrate it to today's version."""
    restore(max(recorded().items())[1].read_text(encoding="utf-8"), path)

    async def migrate() -> None:
        await (await Database.open(path)).close()

    asyncio.run(migrate())


def main(arguments: list[str]) -> None:
    if arguments[0] == "--upgrade":
        upgrade(Path(arguments[1]))
        return
    database, target = arguments
    with contextlib.closing(sqlite3.connect(database)) as opened:
        Path(target).write_text(dump(opened), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
