"""Restoring a backup: the present state is kept aside, and a kill at any moment leaves the old state or the new one."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from pastelbot.errors import DatabaseError
from pastelbot.store.maintenance.backup import DATABASE, PICTURES, copy_database, link_files, sync_folder, sync_names
from pastelbot.store.maintenance.checking import check, needed_files, open_read_only
from pastelbot.store.maintenance.exclusive_use import exclusive_use

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def restore(backup: Path, database: Path, pictures: Path, *, now: datetime) -> Path | None:
    """Put a backup in the place of the present state; return the folder where that is kept, None where there was none.

    Raises DatabaseError, and changes nothing, where the backup is damaged or a bot uses the database.
    """
    problems = check(backup / DATABASE, backup / PICTURES)
    if problems:
        raise DatabaseError(f"{backup} is no sound backup, so nothing was changed. {' '.join(problems)}")
    try:
        with exclusive_use(database):
            return _restore(backup, database, pictures, now)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"{backup} cannot be restored: {error}. The old state is still in use.") from error


def _restore(backup: Path, database: Path, pictures: Path, now: datetime) -> Path | None:
    new = database.with_name(f"{database.name}.restoring")
    new.unlink(missing_ok=True)
    aside = _keep_aside(database, pictures, now) if database.exists() else None
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_read_only(backup / DATABASE)) as opened:
        names = needed_files(opened)
    link_files(backup / PICTURES, pictures, names)
    sync_names(pictures, names)
    copy_database(backup / DATABASE, new)
    if aside is not None:
        _drop_log(database)  # the log belongs to the old file: applied to the new one it would destroy it
    new.replace(database)
    sync_folder(database.parent)
    return aside


def _keep_aside(database: Path, pictures: Path, now: datetime) -> Path:
    """Keep the database with its log and all pictures in a folder that can be restored again."""
    _fold_log(database)
    aside = database.with_name(f"{database.name}.before-restore-{now:%Y%m%d-%H%M%S-%f}")
    for left in database.parent.glob(f"{database.name}.before-restore-*.part"):
        shutil.rmtree(left)  # of a restore that was killed
    part = aside.with_name(f"{aside.name}.part")
    part.mkdir()
    for end in ("", "-wal"):
        source = database.with_name(database.name + end)
        if source.exists():
            shutil.copyfile(source, part / (DATABASE + end))
    files = [Path(folder, name) for folder, _folders, names in os.walk(pictures) for name in names]
    link_files(pictures, part / PICTURES, [file.relative_to(pictures).as_posix() for file in files])
    part.rename(aside)
    return aside


def _fold_log(database: Path) -> None:
    """Bring what is in the log into the file, which works only if no other process has it open; damaged ones stay."""
    try:
        with closing(sqlite3.connect(database, timeout=1)) as opened:
            opened.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
            raise DatabaseError(f"Another program uses the database {database}: stop it, then restore.") from error


def _drop_log(database: Path) -> None:
    for end in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            database.with_name(database.name + end).unlink()
