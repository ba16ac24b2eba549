"""Backups: a folder with a copy of the database and its pictures, complete or absent, made while the bot runs."""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from pastelbot.errors import DatabaseError
from pastelbot.store.maintenance.checking import check, needed_files, open_read_only, problem_of

DATABASE, PICTURES = "pastelbot.sqlite3", "pictures"  # names inside a backup
_KEPT = 3  # copies from before migrations


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A finished backup; `left_out` are picture files that were missing or damaged, or deleted meanwhile."""

    folder: Path
    pictures: int
    left_out: int


def back_up(database: Path, pictures: Path, folder: Path) -> Backup:
    """Make a verified backup; raises DatabaseError where that fails, and then there is no folder."""
    if folder.exists():
        raise DatabaseError(f"{folder} exists already: name a new folder for the backup.")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        copy_database(database, part / DATABASE)
        kept, gone = _add_pictures(part, pictures)
        problems = check(part / DATABASE, part / PICTURES)
        if problems:
            raise DatabaseError(f"The backup would be damaged, so there is none. {' '.join(problems)}")
        sync_folder(part)
        part.rename(folder)
        sync_folder(folder.parent)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"The backup {folder} cannot be made: {error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Backup(folder=folder, pictures=kept, left_out=gone)


def back_up_before_migration(database: Path, version: int, now: datetime) -> Path:
    """Copy a database that is about to be migrated from a version, and keep the newest few of these copies.

    Raises OSError or sqlite3.Error where there is no room for it.
    """
    prefix = f"{database.name}.version-"
    target = database.with_name(f"{prefix}{version}-{now:%Y%m%d-%H%M%S}")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    copy_database(database, part)
    part.rename(target)
    sync_folder(target.parent)
    copies = [path for path in database.parent.glob(f"{prefix}*") if path.suffix != ".part"]
    for old in sorted(copies, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        old.unlink()
    return target


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, others may write; the copy is one file, and on the disk."""
    with closing(open_read_only(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def link_files(source: Path, target: Path, names: Iterable[str]) -> None:
    """Put files into another folder, as hard links where one disk has both: they are never changed in place."""
    for name in names:
        place = target / name
        part = place.with_name(f"{place.name}.part")
        place.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        try:
            part.hardlink_to(source / name)
        except OSError:
            shutil.copyfile(source / name, part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
        part.replace(place)
        part.unlink(missing_ok=True)  # renaming one link over another of the same file leaves both


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_names(folder: Path, names: Iterable[str]) -> None:
    """Have the names of files below a folder on the disk, and those of the folders that they are in."""
    for parent in {parent for name in names for parent in PurePosixPath(name).parents}:
        sync_folder(folder / parent)
    sync_folder(folder.parent)


def _add_pictures(part: Path, pictures: Path) -> tuple[int, int]:
    """Put the copied rows' files beside them; rows whose files are gone lose their names, as after a sweep."""
    with closing(sqlite3.connect(part / DATABASE)) as database:
        names = needed_files(database)
        gone = [name for name in names if problem_of(pictures, name) is not None]
        for name in set(names) - set(gone):
            try:
                link_files(pictures, part / PICTURES, [name])
            except FileNotFoundError:
                gone.append(name)  # it was deleted at this moment
        sync_names(part / PICTURES, names)
        columns = [("pictures", "file"), ("jobs", "init_file"), ("confirmations", "init_file")]
        with database:
            for table, column in columns if gone else ():
                sql = f"UPDATE {table} SET {column} = NULL WHERE {column} = ?"
                with suppress(sqlite3.OperationalError):  # an older version has no such column
                    database.executemany(sql, [(name,) for name in gone])
    return len(names) - len(gone), len(gone)
