"""Picture files: named by their content, written once, removed when no row of the database needs them.

Painted pictures belong to rows of `pictures`, those to start from to jobs and to plans that wait to be confirmed.

A file has a row before it is announced, and loses its rows before it is removed. So a crash leaves at worst a
file without a row, which the next sweep removes. One lock holds apart those who write and record a file from those who
look whether it can go: the same bytes may be written again at that very moment.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import structlog

from pastelbot.errors import NotFoundError, StoreError
from pastelbot.records import GenerationRequest, Picture
from pastelbot.store.database import Database
from pastelbot.store.failures import store_errors
from pastelbot.store.maintenance.backup import sync_names
from pastelbot.store.stored_pictures import StoredPicture, content_name, picture_file

# Nothing else in the folder is ours, whatever it is: by content, and by job as it was before.
_OURS = re.compile(
    r"([0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}|[0-9a-f]{12}/\d{2,}-\d+)\.(png|jpg|webp|gif|bmp|bin)(\.part)?"
)
_BY_JOB = "file NOT GLOB '[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*'"
_BATCH = 100
_ENDED = "('done', 'failed', 'cancelled')"
# The columns that name files, and which of their rows give a file up when its time is over.
_COLUMNS = (
    ("pictures", "file", "1"),
    ("jobs", "init_file", f"status IN {_ENDED}"),
    ("confirmations", "init_file", "0"),
)
_GONE = "The picture that this starts from is no longer kept: attach it again, or paint without one."

log = structlog.get_logger(__name__)


class PictureFiles:
    """The pictures folder, and the rows that say who needs which file.

    A `durable` file is on the disk before its row can be, and survives a power cut.
    """

    def __init__(self, folder: Path, database: Database, *, durable: bool = True) -> None:
        self.folder = folder
        self._durable = durable
        self._database = database
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def keeping(self, pictures: Sequence[Picture]) -> AsyncIterator[list[StoredPicture]]:
        """Write pictures; record them inside the block, because files without a row are removed after it.

        Raises StorageError where the disk does not take them.
        """
        async with self.keeping_contents([picture.png for picture in pictures]):
            yield [picture_file(number, picture) for number, picture in enumerate(pictures)]

    @asynccontextmanager
    async def keeping_inits(self, requests: Sequence[GenerationRequest]) -> AsyncIterator[None]:
        """Write the pictures that requests start from, in the same way."""
        contents = {request.init.content for request in requests if request.init is not None and request.init.content}
        if not contents:
            yield
            return
        async with self.keeping_contents(list(contents)):
            yield

    @asynccontextmanager
    async def keeping_contents(self, contents: Sequence[bytes]) -> AsyncIterator[None]:
        """Write files named by their contents, in the same way."""
        async with self._lock:
            with store_errors():
                names = await asyncio.to_thread(_write_all, self.folder, contents, durable=self._durable)
            try:
                yield
            finally:
                with suppress(StoreError):  # a sweep removes them later
                    await self._unlink_unneeded(names)

    async def with_init(self, request: GenerationRequest) -> GenerationRequest:
        """Return the request with the content of the picture that it starts from, read from its file.

        Raises NotFoundError where the file is gone, or is no longer what its name says.
        """
        init = request.init
        if init is None or init.content:
            return request
        content = await asyncio.to_thread(_read, self.folder, init.name)
        if content is None:
            raise NotFoundError(_GONE)
        return request.replace(init=replace(init, content=content))

    def path(self, picture: StoredPicture) -> Path:
        """Return where the picture's file is; where it was swept away, a path that leads nowhere."""
        return self.folder / (picture.file or "swept-away.png")

    async def drop(self, names: Iterable[str]) -> None:
        """Remove the files of rows that were deleted, but for those that other rows need."""
        for batch in _batches(list(names)):
            async with self._lock:  # painting waits for it, so it is let go now and then
                await self._unlink_unneeded(batch)

    async def forget_channel(self, channel_id: int) -> None:
        """Remove the pictures of all jobs that were shown in a channel, but for those that are not delivered yet."""
        jobs = f"FROM jobs WHERE channel_id = ? AND status IN {_ENDED}"
        async with self._database.transaction() as connection:
            sql = f"SELECT init_file AS file {jobs} AND init_file IS NOT NULL"
            rows = await connection.all(sql, channel_id)
            sql = f"UPDATE jobs SET init_file = NULL WHERE init_file IS NOT NULL AND id IN (SELECT id {jobs})"
            await connection.execute(sql, channel_id)
            sql = f"DELETE FROM pictures WHERE job_id IN (SELECT id {jobs}) RETURNING file"
            rows += await connection.all(sql, channel_id)
        await self.drop([row["file"] for row in rows if row["file"] is not None])

    async def sweep(self, *, before: datetime | None, max_bytes: int) -> int:
        """Remove files that are older than `before` or over the cap, the oldest first; return how many.

        What is in a gallery or not delivered yet stays; None and 0 are no limits. The pictures' rows stay, so their
        buttons work. Files that no row needs are removed too.
        """
        await self._adopt()
        names = await self._outlived(before, max_bytes) if before is not None or max_bytes else []
        for batch in _batches(names):
            async with self._database.transaction() as connection:
                for table, column, ended in _COLUMNS:
                    sql = f"UPDATE {table} SET {column} = NULL WHERE {column} = ? AND {ended}"
                    await connection.executemany(sql, [(name,) for name in batch])
            await self.drop(batch)
        await self._remove_strays()
        if names:
            log.info("pictures swept away", files=len(names))
        return len(names)

    async def _outlived(self, before: datetime | None, max_bytes: int) -> list[str]:
        sql = (
            "SELECT file, MAX(size), MAX(made_at) AS made_at, MAX(needed) FROM ("
            "SELECT p.file, p.size, j.created_at AS made_at,"
            f" g.id IS NOT NULL OR j.status NOT IN {_ENDED} AS needed FROM pictures p JOIN jobs j ON j.id = p.job_id"
            " LEFT JOIN gallery g ON g.job_id = p.job_id AND g.number = p.number WHERE p.file IS NOT NULL"
            f" UNION ALL SELECT init_file, init_size, created_at, status NOT IN {_ENDED} FROM jobs"
            " WHERE init_file IS NOT NULL) GROUP BY file ORDER BY made_at, file"
        )
        rows = await self._database.reader.all(sql)
        total, gone = sum(row[1] for row in rows), []
        for name, size, made_at, needed in rows:
            too_old = before is not None and made_at < before.timestamp()
            if not needed and (too_old or 0 < max_bytes < total):
                gone.append(name)
                total -= size
        return gone

    async def _adopt(self) -> None:
        """Give files that an earlier version named by their jobs the names of their contents."""
        sql = f"SELECT DISTINCT file FROM pictures WHERE file IS NOT NULL AND {_BY_JOB} LIMIT {_BATCH}"
        while True:
            old = [row[0] for row in await self._database.reader.all(sql)]
            if not old:
                return
            async with self._lock:
                new = await asyncio.to_thread(_copy_all, self.folder, old, durable=self._durable)
                async with self._database.transaction() as connection:
                    await connection.executemany(
                        "UPDATE pictures SET file = ?, size = ? WHERE file = ?",
                        [(*place, name) for place, name in zip(new, old, strict=True)],
                    )
                await self._unlink_unneeded(old)
            log.info("pictures named by their contents", files=len(old))

    async def _remove_strays(self) -> None:
        """Remove files that are ours by their names and that no row needs."""
        there = await asyncio.to_thread(_ours_in, self.folder)
        sql = " UNION ".join(f"SELECT {column} FROM {table}" for table, column, _ in _COLUMNS)
        needed = {row[0] for row in await self._database.reader.all(sql)}
        strays = there - needed
        if strays:
            log.info("unused files removed", files=len(strays))
            await self.drop(sorted(strays))

    async def _unlink_unneeded(self, names: Sequence[str]) -> None:
        """Remove those of the files that no row needs; the lock must be held."""
        sql = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE {column} = :file" for table, column, _ in _COLUMNS)
        value = self._database.reader.value
        unneeded = [name for name in dict.fromkeys(names) if await value(f"{sql} LIMIT 1", file=name) is None]
        if unneeded:
            await asyncio.to_thread(_unlink, self.folder, unneeded)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _BATCH):
        yield names[start : start + _BATCH]


def read_picture(path: Path) -> bytes:
    """Return the content of a picture file.

    Raises FileNotFoundError where it is gone, or is not what its name says: damage is no picture either.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError as error:
        raise FileNotFoundError(str(path)) from error
    digest = hashlib.sha256(content).hexdigest()
    if len(path.stem) == len(digest) and path.stem != digest:
        log.error("a picture file is damaged", file=path.name)
        raise FileNotFoundError(str(path))
    return content


def _read(folder: Path, name: str) -> bytes | None:
    """Return the content of a file, or None where it is gone or is not what its name says."""
    with store_errors():
        try:
            return read_picture(folder / name)
        except FileNotFoundError:
            return None


def _write_all(folder: Path, contents: Sequence[bytes], *, durable: bool) -> list[str]:
    names = [content_name(content) for content in contents]
    for name, content in zip(names, contents, strict=True):
        _write(folder / name, content, durable=durable)
    if durable:
        sync_names(folder, names)
    return names


def _write(path: Path, content: bytes, *, durable: bool) -> None:
    """Write a file under a temporary name first: no half file ever has the final name."""
    if not _is_there(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        if durable:
            _sync(part)
        part.replace(path)
    elif durable:
        _sync(path)  # its writer may have been killed before this


def _is_there(path: Path, content: bytes) -> bool:
    """Return whether a file has that content; what a power cut has torn may have the right size."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy_all(folder: Path, old: Iterable[str], *, durable: bool) -> list[tuple[str | None, int]]:
    """Copy files to where their contents belong; return each one's name and size, None and 0 for one that is gone."""
    places: list[tuple[str | None, int]] = []
    for name in old:
        try:
            content = (folder / name).read_bytes()
        except OSError:
            places.append((None, 0))
            continue
        places.append((content_name(content), len(content)))
        _write_all(folder, [content], durable=durable)
    return places


def _ours_in(folder: Path) -> set[str]:
    found = set()
    for parent, _folders, files in os.walk(folder):
        inside = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        found |= {str(inside / file) for file in files}
    return {name for name in found if _OURS.fullmatch(name)}


def _unlink(folder: Path, names: Collection[str]) -> None:
    """Delete files and the folders that are empty then; what is gone already is fine."""
    for name in names:
        path = folder / name
        path.unlink(missing_ok=True)
        with suppress(OSError):
            for parent in PurePosixPath(name).parents[:-1]:
                (folder / parent).rmdir()
