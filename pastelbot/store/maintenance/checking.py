"""Checks of a database and its pictures: what is damaged or missing, as sentences for the operator."""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pastelbot.errors import DatabaseError

_MOST = 20  # problems of one kind that are listed
_INSTRUCTIONS = 10_000  # of SQLite between two looks at the clock
WAY_OUT = (
    "Run `pastelbot db check` to see what is damaged, and `pastelbot db restore FOLDER` to go back to a backup; the "
    "present files are kept aside."
)


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a database that must exist; raises DatabaseError."""
    if not path.is_file():
        raise DatabaseError(f"There is no database {path}: name the configuration with --config.")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def quick_check(path: Path, *, seconds: float) -> None:
    """Raise DatabaseError where pages are found to be damaged within so many seconds."""
    if not path.is_file():
        return
    deadline = time.monotonic() + seconds
    try:
        with closing(open_read_only(path)) as database:
            database.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:
        return  # out of time, or another process has it: opening it says more
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise DatabaseError(f"The database {path} is damaged ({found}). {WAY_OUT}")


def check(path: Path, pictures: Path) -> list[str]:
    """Return what is wrong with a database and the files that it names; raises DatabaseError where there is none."""
    try:
        with closing(open_read_only(path)) as database:
            return [*_pages(database), *_references(database), *_files(pictures, needed_files(database))]
    except sqlite3.Error as error:
        return [f"The database {path} cannot be read: {error}."]


def needed_files(database: sqlite3.Connection) -> list[str]:
    """Return the names of all picture files that rows need, whichever version the tables have."""
    columns = {row[0] for row in database.execute("SELECT name FROM pragma_table_info('jobs')")}
    sql = "SELECT file FROM pictures WHERE file IS NOT NULL"
    if "init_file" in columns:
        sql += " UNION SELECT init_file FROM jobs WHERE init_file IS NOT NULL"
        sql += " UNION SELECT init_file FROM confirmations WHERE init_file IS NOT NULL"
    return sorted({row[0] for row in database.execute(sql)})


def problem_of(pictures: Path, name: str) -> str | None:
    """Return what is wrong with a picture file, or None; files that an old version named by job have no hash."""
    try:
        content = (pictures / name).read_bytes()
    except OSError:
        return f"The picture file {name} is missing."
    digest, stem = hashlib.sha256(content).hexdigest(), Path(name).stem
    if len(stem) == len(digest) and stem != digest:
        return f"The picture file {name} is damaged."
    return None


def _pages(database: sqlite3.Connection) -> Iterator[str]:
    for (found,) in database.execute(f"PRAGMA integrity_check({_MOST})"):
        if found != "ok":
            yield f"The database is damaged: {found}."


def _references(database: sqlite3.Connection) -> Iterator[str]:
    for table, row, parent, _key in database.execute("PRAGMA foreign_key_check").fetchmany(_MOST):
        yield f"Row {row} of {table} names a row of {parent} that does not exist."


def _files(pictures: Path, names: list[str]) -> Iterator[str]:
    problems = [problem for name in names if (problem := problem_of(pictures, name)) is not None]
    yield from problems[:_MOST]
    if len(problems) > _MOST:
        yield f"{len(problems) - _MOST} more picture files are missing or damaged."
