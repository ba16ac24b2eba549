"""Pictures to start from on the disk: kept as long as a job needs them, counted and removed as painted ones are."""

import asyncio
import base64
import json
import sqlite3
from dataclasses import asdict
from datetime import timedelta

import pytest
from helpers import schema_dumps
from helpers.jobs import insert_job
from helpers.support import png

from pastelbot.errors import NotFoundError, StorageFullError
from pastelbot.records import GenerationRequest, InitImage, JobStatus, Picture, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.init_adoption import adopt_init_pictures
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.stored_pictures import content_name

REPLY = ReplyTarget(channel_id=1, guild_id=2)


class Shelf:
    """Jobs that start from pictures, on a real disk."""

    def __init__(self, database, folder, clock):
        self.database, self.folder, self.clock = database, folder, clock
        self.jobs = JobStore(database)
        self.files = PictureFiles(folder, database)

    async def job(self, content, *, status=JobStatus.DONE):
        request = GenerationRequest(prompt="1girl", init=InitImage.of(content))
        async with self.files.keeping_inits([request]):
            job = await insert_job(self.jobs, 1, request, REPLY, now=self.clock())
        if status is JobStatus.QUEUED:
            return job.id
        await self.jobs.lease([job.id], now=self.clock())
        if status is JobStatus.DONE:
            await self.jobs.rendered(job.id, [], seconds=1.0)
            await self.jobs.posted(job.id, 100)
            await self.jobs.done(job.id, now=self.clock())
        return job.id

    async def loaded(self, job_id):
        return (await self.files.with_init((await self.jobs.get(job_id)).request)).init.content

    @property
    def on_disk(self):
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
async def shelf(tmp_path, clock):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield Shelf(database, tmp_path / "pictures", clock)
    await database.close()


async def test_the_row_has_the_name_and_the_disk_the_bytes(shelf):
    job_id = await shelf.job(png("red"))
    row = await shelf.database.reader.one("SELECT request, init_file, init_size FROM jobs")

    assert (row["init_file"], row["init_size"]) == (content_name(png("red")), len(png("red")))
    assert len(row["request"]) < 2000
    assert shelf.on_disk == {row["init_file"]}
    assert await shelf.loaded(job_id) == png("red")


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.LEASED])
async def test_no_limit_removes_what_a_waiting_or_running_job_needs(shelf, status):
    job_id = await shelf.job(png("red"), status=status)
    shelf.clock.advance(days=100)

    assert await shelf.files.sweep(before=shelf.clock(), max_bytes=1) == 0
    assert await shelf.loaded(job_id) == png("red")


async def test_old_ones_go_and_it_is_said_so(shelf):
    old = await shelf.job(png("red"))
    shelf.clock.advance(days=8)
    new = await shelf.job(png("blue"))

    assert await shelf.files.sweep(before=shelf.clock() - timedelta(days=7), max_bytes=0) == 1
    assert shelf.on_disk == {content_name(png("blue"))}
    assert await shelf.loaded(new) == png("blue")
    with pytest.raises(NotFoundError, match="no longer kept"):
        await shelf.loaded(old)


async def test_they_count_for_the_cap(shelf):
    await shelf.job(png("red"))
    shelf.clock.advance(seconds=1)
    await shelf.job(png("blue"))

    assert await shelf.files.sweep(before=None, max_bytes=len(png("red")) + len(png("blue")) - 1) == 1
    assert shelf.on_disk == {content_name(png("blue"))}


async def test_a_job_that_is_queued_while_its_picture_expires_keeps_it(shelf):
    await shelf.job(png("red"))
    shelf.clock.advance(days=8)

    for _ in range(10):
        sweep = shelf.files.sweep(before=shelf.clock() - timedelta(days=7), max_bytes=0)
        job_id, _ = await asyncio.gather(shelf.job(png("red"), status=JobStatus.QUEUED), sweep)
        assert await shelf.loaded(job_id) == png("red")
        await shelf.jobs.end(job_id, JobStatus.CANCELLED, now=shelf.clock())
        shelf.clock.advance(days=8)


async def test_a_picture_that_was_painted_and_is_started_from_is_one_file_until_both_are_gone(shelf):
    painted = await shelf.job(png("blue"), status=JobStatus.LEASED)
    picture = Picture(png=png("red"), seed=5, width=8, height=4, infotext="1girl")
    async with shelf.files.keeping([picture]) as stored:
        await shelf.jobs.rendered(painted, stored, seconds=1.0)
    child = await shelf.job(png("red"), status=JobStatus.QUEUED)

    await shelf.files.drop(await shelf.jobs.forget_pictures(painted))
    assert await shelf.loaded(child) == png("red")
    await shelf.files.drop(await shelf.jobs.forget_pictures(child))
    assert shelf.on_disk == set()


async def test_deleting_a_channel_deletes_what_its_jobs_started_from(shelf):
    await shelf.job(png("red"))
    waiting = await shelf.job(png("blue"), status=JobStatus.QUEUED)
    await shelf.files.forget_channel(1)

    assert shelf.on_disk == {content_name(png("blue"))}
    assert await shelf.loaded(waiting) == png("blue")


async def test_a_file_that_is_not_what_its_name_says_is_not_painted_from(shelf):
    job_id = await shelf.job(png("red"))
    (shelf.folder / content_name(png("red"))).write_bytes(png("red")[:20])

    with pytest.raises(NotFoundError, match="attach it again"):
        await shelf.loaded(job_id)


async def test_a_picture_without_a_row_goes_with_the_next_sweep(shelf):
    with pytest.raises(RuntimeError):
        async with shelf.files.keeping_inits([GenerationRequest(prompt="a", init=InitImage.of(png("red")))]):
            raise RuntimeError

    await shelf.files.sweep(before=None, max_bytes=0)
    assert shelf.on_disk == set()


def old_request(content):
    """Return a request as version 11 wrote it."""
    request = asdict(GenerationRequest(prompt="1girl"))
    file = base64.b64encode(content).decode()
    return json.dumps({**request, "init": {"file": file, "denoising_strength": 0.5, "resize_mode": "Just resize"}})


@pytest.fixture
async def old(tmp_path, clock):
    """A database of version 11 with 45 jobs, two of three with a picture in their rows, opened by this version."""
    path = tmp_path / "old.sqlite3"
    schema_dumps.restore(schema_dumps.recorded()[11].read_text(encoding="utf-8"), path)
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM jobs")
        plain = json.dumps(asdict(GenerationRequest(prompt="1girl")))
        raw.executemany(
            "INSERT INTO jobs (id, user_id, request, status, created_at, cost) VALUES (?, 1, ?, 'done', 5, 2)",
            [(f"{n:012x}", old_request(png(size=(8, 8 + n))) if n % 3 else plain) for n in range(45)],
        )
    raw.close()
    database = await Database.open(path)
    yield Shelf(database, tmp_path / "pictures", clock)
    await database.close()


async def pictures_of(shelf):
    """Return the content that each job starts from, wherever it is."""
    found = [await shelf.files.with_init(job.request) for job in await shelf.jobs.with_status(JobStatus.DONE)]
    return [request.init.content if request.init else None for request in found]


EXPECTED = [png(size=(8, 8 + n)) if n % 3 else None for n in range(45)]


async def test_pictures_in_old_rows_are_read_before_and_after_they_are_files(old):
    assert await pictures_of(old) == EXPECTED
    await adopt_init_pictures(old.database, old.files)

    assert await pictures_of(old) == EXPECTED
    assert len(old.on_disk) == 30
    assert await old.database.reader.number("SELECT max(length(request)) FROM jobs") < 2000
    assert await old.database.reader.number("SELECT count(*) FROM jobs WHERE init_size > 0") == 30
    await old.files.sweep(before=None, max_bytes=0)
    assert len(old.on_disk) == 30


class FailingFiles(PictureFiles):
    """Takes some batches, and then the disk is full, or the program ends."""

    def __init__(self, folder, database, *, batches, error):
        super().__init__(folder, database)
        self.batches, self.error = batches, error

    def keeping_contents(self, contents):
        self.batches -= 1
        if self.batches < 0:
            raise self.error
        return super().keeping_contents(contents)


@pytest.mark.parametrize("batches", [0, 1, 2])
@pytest.mark.parametrize("error", [StorageFullError("full"), KeyboardInterrupt()])
async def test_moving_them_goes_on_where_it_ended(old, batches, error):
    failing = FailingFiles(old.folder, old.database, batches=batches, error=error)
    if isinstance(error, StorageFullError):
        await adopt_init_pictures(old.database, failing)
    else:
        with pytest.raises(KeyboardInterrupt):
            await adopt_init_pictures(old.database, failing)
    assert await pictures_of(old) == EXPECTED

    await adopt_init_pictures(old.database, old.files)
    assert await pictures_of(old) == EXPECTED
    assert len(old.on_disk) == 30
