import asyncio
import hashlib
import json
import os
import sqlite3
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from helpers.jobs import insert_job
from helpers.support import png

from pastelbot.records import GenerationRequest, JobStatus, Picture, ReplyTarget
from pastelbot.store import database as database_module
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles, read_picture


class Shelf:
    """Jobs with pictures, on a real disk."""

    def __init__(self, database, folder, clock):
        self.database = database
        self.folder = folder
        self.clock = clock
        self.jobs = JobStore(database)
        self.files = PictureFiles(folder, database)

    async def job(self, *contents, status=JobStatus.DONE):
        """Paint a job with these file contents; return its id."""
        reply = ReplyTarget(channel_id=1, guild_id=2)
        request = GenerationRequest(prompt="1girl")
        job = await insert_job(self.jobs, 1, request, reply, now=self.clock())
        await self.jobs.lease([job.id], now=self.clock())
        pictures = [
            Picture(png=content, seed=seed, width=8, height=8, infotext="1girl")
            for seed, content in enumerate(contents)
        ]
        async with self.files.keeping(pictures) as stored:
            await self.jobs.rendered(job.id, stored, seconds=1.0)
        if status is JobStatus.DONE:
            await self.jobs.posted(job.id, 100)
            await self.jobs.done(job.id, now=self.clock())
        return job.id

    async def share(self, job_id):
        async with self.database.transaction() as connection:
            await connection.execute(
                "INSERT INTO gallery (guild_id, user_id, job_id, number, adult, spoiler, prompt, shared_at)"
                " VALUES (2, 1, ?, 0, 0, 0, '1girl', 0)",
                job_id,
            )

    async def paths(self, job_id):
        return [self.files.path(picture) for picture in await self.jobs.pictures(job_id)]

    async def delete(self, job_id):
        await self.files.drop(await self.jobs.forget_pictures(job_id))

    @property
    def on_disk(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
async def shelf(tmp_path, clock):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield Shelf(database, tmp_path / "pictures", clock)
    await database.close()


def place(content):
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest}.png"


async def test_a_file_is_named_by_its_content_in_two_levels_of_folders(shelf):
    job_id = await shelf.job(png("red"))

    assert [place(png("red"))] == shelf.on_disk
    assert [png("red")] == [path.read_bytes() for path in await shelf.paths(job_id)]
    assert [len(png("red"))] == [picture.size for picture in await shelf.jobs.pictures(job_id)]


async def test_the_same_bytes_are_one_file_until_the_last_job_is_deleted(shelf):
    first, second = await shelf.job(png("red"), png("red")), await shelf.job(png("red"))
    assert len(shelf.on_disk) == 1

    await shelf.delete(first)
    assert len(shelf.on_disk) == 1
    await shelf.delete(second)

    assert list(shelf.folder.rglob("*")) == []


async def test_a_picture_painted_while_the_same_is_deleted_stays(shelf):
    for _ in range(10):
        old = await shelf.job(png("red"))
        new, _ = await asyncio.gather(shelf.job(png("red")), shelf.delete(old))

        (path,) = await shelf.paths(new)
        assert path.is_file()
        await shelf.delete(new)


async def test_a_damaged_file_is_written_again(shelf):
    first = await shelf.job(png("red"))
    (path,) = await shelf.paths(first)
    path.write_bytes(b"")
    await shelf.job(png("red"))

    assert png("red") == path.read_bytes()


async def test_old_files_go_but_their_rows_stay(shelf):
    old = await shelf.job(png("red"))
    shelf.clock.advance(days=8)
    new = await shelf.job(png("blue"))

    assert await shelf.files.sweep(before=shelf.clock() - timedelta(days=7), max_bytes=0) == 1

    assert [place(png("blue"))] == shelf.on_disk
    assert [path.is_file() for path in [*await shelf.paths(old), *await shelf.paths(new)]] == [False, True]
    assert [picture.infotext for picture in await shelf.jobs.pictures(old)] == ["1girl"]


async def test_over_the_cap_the_oldest_go_first(shelf):
    contents = [png(colour) for colour in ("red", "green", "blue")]
    for content in contents:
        await shelf.job(content)
        shelf.clock.advance(seconds=1)
    cap = sum(map(len, contents)) - 1

    assert await shelf.files.sweep(before=None, max_bytes=cap) == 1
    assert sorted(map(place, contents[1:])) == shelf.on_disk
    assert await shelf.files.sweep(before=None, max_bytes=cap) == 0


async def test_without_limits_nothing_goes(shelf):
    await shelf.job(png("red"))
    shelf.clock.advance(days=10_000)

    assert await shelf.files.sweep(before=None, max_bytes=0) == 0
    assert len(shelf.on_disk) == 1


async def test_what_is_shared_or_not_delivered_stays(shelf):
    shared = await shelf.job(png("red"))
    await shelf.share(shared)
    await shelf.job(png("blue"), status=JobStatus.RENDERED)
    shelf.clock.advance(days=100)

    assert await shelf.files.sweep(before=shelf.clock(), max_bytes=1) == 0
    assert len(shelf.on_disk) == 2


async def test_a_file_that_an_old_and_a_new_job_have_is_as_old_as_the_new_one(shelf):
    await shelf.job(png("red"))
    shelf.clock.advance(days=8)
    await shelf.job(png("red"))

    assert await shelf.files.sweep(before=shelf.clock() - timedelta(days=7), max_bytes=0) == 0


async def test_a_file_that_a_crash_left_without_a_row_is_removed_by_the_next_sweep(shelf):
    """The process ended after the file was written and before it was recorded."""
    left = shelf.folder / place(png("red"))
    left.parent.mkdir(parents=True)
    left.write_bytes(png("red"))

    await shelf.files.sweep(before=None, max_bytes=0)

    assert list(shelf.folder.rglob("*")) == []


async def test_a_sweep_removes_nothing_that_is_not_ours(shelf):
    kept = await shelf.job(png("red"))
    half = shelf.folder / (place(png("blue")) + ".part")
    for path in (shelf.folder / "holiday.png", shelf.folder / "ab/cd/holiday.png", half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    await shelf.files.sweep(before=None, max_bytes=0)

    assert sorted([place(png("red")), "ab/cd/holiday.png", "holiday.png"]) == shelf.on_disk
    assert (await shelf.paths(kept))[0].is_file()


async def test_without_a_pictures_folder_there_is_nothing_to_sweep(shelf):
    assert await shelf.files.sweep(before=None, max_bytes=1) == 0


async def test_files_of_earlier_versions_get_new_names(tmp_path, monkeypatch):
    """Files named by their jobs are found, hashed and renamed; one that is gone is a picture without a file."""
    path, folder = tmp_path / "bot.sqlite3", tmp_path / "pictures"
    known = database_module.migrations()
    monkeypatch.setattr(database_module, "migrations", lambda: [step for step in known if step[0] < 3])
    await (await Database.open(path)).close()
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO jobs (id, user_id, request, status, created_at, cost, day)"
            " VALUES ('0123456789ab', 1, ?, 'done', 5, 2, '2026-11-22')",
            (json.dumps(asdict(GenerationRequest(prompt="1girl"))),),
        )
        rows = [(number, f"0123456789ab/{number:02d}-7.png") for number in range(3)]
        raw.executemany("INSERT INTO pictures VALUES ('0123456789ab', ?, ?, 7, 8, 8, 'text')", rows)
    raw.close()
    monkeypatch.undo()
    (folder / "0123456789ab").mkdir(parents=True)
    for _, name in rows[:2]:
        (folder / name).write_bytes(png("red"))

    database = await Database.open(path)
    jobs, files = JobStore(database), PictureFiles(folder, database)
    before = await jobs.pictures("0123456789ab")
    await files.sweep(before=None, max_bytes=0)
    after = await jobs.pictures("0123456789ab")
    await database.close()

    assert [name for _, name in rows] == [picture.file for picture in before]
    assert [place(png("red"))] * 2 + [None] == [picture.file for picture in after]
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [place(png("red")).rsplit("/", 1)[1]]
    assert not (folder / "0123456789ab").exists()


class Synced:
    """What `os.fsync` was called for; the rest of the disk is real."""

    def __init__(self, monkeypatch):
        self.paths = set()
        monkeypatch.setattr(os, "fsync", self._sync)

    def _sync(self, handle):
        self.paths.add(Path(f"/proc/self/fd/{handle}").readlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads what a handle belongs to")
@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("before", [False, True])
async def test_a_durable_picture_is_on_the_disk_with_its_name_before_its_row(
    shelf, monkeypatch, tmp_path, durable, before
):
    """What a killed process has written is synced as well: it may have been killed before it did that."""
    if before:
        await shelf.job(png("red"))
    files, synced = PictureFiles(shelf.folder, shelf.database, durable=durable), Synced(monkeypatch)
    picture = Picture(png=png("red"), seed=1, width=8, height=8, infotext="")
    async with files.keeping([picture]):
        path = tmp_path / "pictures" / place(png("red"))
        needed = {path if before else path.with_name(f"{path.name}.part"), *path.parents} - {*tmp_path.parents}
        assert synced.paths == (needed if durable else set())


async def test_a_file_that_a_power_cut_has_torn_is_written_again_though_its_size_is_right(shelf):
    job_id = await shelf.job(png("red"))
    (path,) = await shelf.paths(job_id)
    path.write_bytes(bytes(len(png("red"))))
    with pytest.raises(FileNotFoundError):
        read_picture(path)

    await shelf.job(png("red"))

    assert read_picture(path) == png("red")


async def test_a_file_that_an_earlier_version_named_by_its_job_has_no_hash_to_be_read_by(tmp_path):
    path = tmp_path / "0-7.png"
    path.write_bytes(b"content")

    assert read_picture(path) == b"content"
