"""Check, backup and restore: while a bot writes, with damage of every kind, and killed at any moment."""

import contextlib
import os
import random
import signal
import sqlite3
import sys
from datetime import UTC, datetime

import pytest
from helpers import schema_dumps
from helpers.jobs import insert_job
from helpers.support import png

from pastelbot.errors import DatabaseError
from pastelbot.records import GenerationRequest, InitImage, Picture, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.maintenance.backup import DATABASE, PICTURES, back_up
from pastelbot.store.maintenance.checking import check, quick_check
from pastelbot.store.maintenance.exclusive_use import exclusive_use
from pastelbot.store.maintenance.restoring import restore
from pastelbot.store.picture_files import PictureFiles

NOW = datetime(2026, 11, 28, tzinfo=UTC)
REPLY = ReplyTarget(channel_id=1, guild_id=2)
KILLS = int(os.environ.get("PASTELBOT_TEST_KILLS", "100"))


class Place:
    """A database and its pictures in a folder."""

    def __init__(self, folder):
        self.folder, self.path, self.pictures = folder, folder / "bot.sqlite3", folder / "pictures"

    async def paint(self, *colours, close=True):
        """Add a finished job for each colour, with a picture and one that it started from."""
        database = await Database.open(self.path)
        jobs, files = JobStore(database), PictureFiles(self.pictures, database)
        for colour in colours:
            request = GenerationRequest(prompt=colour, init=InitImage.of(png(colour, size=(16, 16))))
            async with files.keeping_inits([request]):
                job = await insert_job(jobs, 1, request, REPLY, now=NOW)
            await jobs.lease([job.id], now=NOW)
            picture = Picture(png=png(colour), seed=5, width=8, height=4, infotext=colour)
            async with files.keeping([picture]) as stored:
                await jobs.rendered(job.id, stored, seconds=1.0)
        if close:
            await database.close()
        return database

    @property
    def prompts(self):
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            return [row[0] for row in database.execute("SELECT json_extract(request, '$.prompt') FROM jobs ORDER BY 1")]

    @property
    def problems(self):
        return check(self.path, self.pictures)

    def back_up(self, name="backup"):
        return back_up(self.path, self.pictures, self.folder / name)

    def restore(self, name="backup"):
        return restore(self.folder / name, self.path, self.pictures, now=datetime.now(UTC))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def damage(path, *, every=4096, start=4096):
    """Overwrite the beginning of every page behind the first."""
    content = bytearray(path.read_bytes())
    for offset in range(start, len(content), every):
        content[offset : offset + 64] = b"\xff" * 64
    path.write_bytes(content)


async def test_a_sound_database_has_no_problems(place):
    await place.paint("red", "blue")

    assert place.problems == []


async def test_pictures_that_are_missing_or_damaged_are_found(place):
    await place.paint("red")
    first, second = sorted(place.pictures.rglob("*.png"))
    first.unlink()
    second.write_bytes(b"")

    assert sorted(place.problems) == sorted(
        [
            f"The picture file {first.relative_to(place.pictures).as_posix()} is missing.",
            f"The picture file {second.relative_to(place.pictures).as_posix()} is damaged.",
        ]
    )


async def test_damaged_pages_are_found_at_the_start_and_by_the_check(place):
    await place.paint("red")
    damage(place.path)

    assert any("damaged" in problem or "cannot be read" in problem for problem in place.problems)
    with pytest.raises(DatabaseError, match=r"is damaged.*pastelbot db check.*pastelbot db restore"):
        quick_check(place.path, seconds=60)


async def test_a_sound_database_passes_the_quick_check_and_so_does_one_that_takes_too_long(place):
    await place.paint("red")
    quick_check(place.path, seconds=60)
    quick_check(place.folder / "none.sqlite3", seconds=60)
    quick_check(place.path, seconds=-1)

    assert not (place.folder / "none.sqlite3").exists()


@pytest.mark.parametrize("content", [b"no database at all" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_file_that_is_no_database_ends_in_a_sentence_with_the_way_out(place, content):
    place.path.write_bytes(content)

    with pytest.raises(DatabaseError, match="pastelbot db restore"):
        await Database.open(place.path)
    with pytest.raises(DatabaseError, match="pastelbot db restore"):
        quick_check(place.path, seconds=60)


async def test_a_backup_is_made_while_the_bot_runs_and_has_what_was_committed(place):
    database = await place.paint("red", close=False)
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE jobs SET request = json_set(request, '$.prompt', 'not yet')")
        made = place.back_up()
    await database.close()

    assert (made.pictures, made.left_out) == (2, 0)
    assert check(made.folder / DATABASE, made.folder / PICTURES) == []
    with contextlib.closing(sqlite3.connect(made.folder / DATABASE)) as copy:
        assert copy.execute("SELECT json_extract(request, '$.prompt') FROM jobs").fetchall() == [("red",)]


async def test_a_backup_leaves_out_pictures_that_are_gone(place):
    await place.paint("red", "blue")
    gone = min(place.pictures.rglob("*.png"))
    gone.unlink()
    made = place.back_up()

    assert (made.pictures, made.left_out) == (3, 1)
    assert check(made.folder / DATABASE, made.folder / PICTURES) == []


async def test_no_backup_is_made_of_damaged_pages_and_none_is_written_over(place):
    await place.paint("red")
    place.back_up("good")
    with pytest.raises(DatabaseError, match="name a new folder"):
        place.back_up("good")
    damage(place.path)

    with pytest.raises(DatabaseError, match="backup"):
        place.back_up()
    assert sorted(path.name for path in place.folder.iterdir() if path.is_dir()) == ["good", "pictures"]


async def test_a_restore_brings_everything_back_and_keeps_what_was_there(place):
    await place.paint("red")
    place.back_up()
    await place.paint("blue")
    for path in place.pictures.rglob("*.png"):
        path.unlink()
    aside = place.restore()

    assert (place.prompts, place.problems) == (["red"], [])
    with contextlib.closing(sqlite3.connect(aside / DATABASE)) as kept:
        assert kept.execute("SELECT count(*) FROM jobs").fetchone() == (2,)


async def test_what_was_kept_aside_can_be_restored(place):
    await place.paint("red")
    place.back_up()
    await place.paint("blue")
    aside = place.restore()
    restore(aside, place.path, place.pictures, now=NOW.replace(year=2027))

    assert (place.prompts, place.problems) == (["blue", "red"], [])


async def test_a_damaged_database_is_replaced_and_kept(place):
    await place.paint("red")
    place.back_up()
    damage(place.path)
    before = place.path.read_bytes()
    aside = place.restore()

    assert (place.prompts, place.problems) == (["red"], [])
    assert (aside / DATABASE).read_bytes() == before


async def test_nothing_is_restored_while_a_bot_uses_the_database(place):
    await place.paint("red")
    place.back_up()
    database = await place.paint("blue", close=False)
    with pytest.raises(DatabaseError, match=r"Another program uses the database.*stop it"):
        place.restore()
    await database.close()
    with exclusive_use(place.path), pytest.raises(DatabaseError, match="in use by another bot"):
        place.restore()

    assert place.prompts == ["blue", "red"]


async def test_a_damaged_backup_is_not_restored(place):
    await place.paint("red")
    made = place.back_up()
    min((made.folder / PICTURES).rglob("*.png")).unlink()
    await place.paint("blue")

    with pytest.raises(DatabaseError, match="no sound backup, so nothing was changed"):
        place.restore()
    assert place.prompts == ["blue", "red"]


def killed_at(event_number, work):
    """Run the work in a child that is killed at that call to the file system; return whether it was killed."""
    child = os.fork()
    if child == 0:
        left = [event_number]

        def hook(event, _values):
            if event.startswith(("os.", "open", "sqlite3", "shutil")):
                left[0] -= 1
                if left[0] == -1:  # the kill is such a call, too
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child")
async def test_killed_at_any_moment_a_restore_leaves_the_old_state_or_the_new_one(place):
    await place.paint("red")
    place.back_up()
    await place.paint("blue")
    rng, killed, seen = random.Random(10), 0, set()
    for _ in range(KILLS):
        killed += killed_at(rng.randrange(80), place.restore)
        assert place.problems == []
        seen.add(tuple(place.prompts))
        if place.prompts == ["red"]:
            await place.paint("blue")
    place.restore()

    assert (place.prompts, place.problems) == (["red"], [])
    assert killed > KILLS // 2
    assert seen <= {("red",), ("blue", "red")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child")
async def test_killed_at_any_moment_a_backup_is_complete_or_absent(place):
    await place.paint("red", "blue")
    rng = random.Random(11)
    for number in range(KILLS // 4):
        name = f"backup-{number}"
        killed_at(rng.randrange(60), lambda name=name: place.back_up(name))
        folder = place.folder / name
        assert not folder.exists() or check(folder / DATABASE, folder / PICTURES) == []
    place.back_up("again")


async def test_an_older_bots_tables_are_left_alone_by_what_runs_beside_it(tmp_path):
    path = tmp_path / "bot.sqlite3"
    schema_dumps.restore(schema_dumps.recorded()[9].read_text(encoding="utf-8"), path)
    before = schema_dumps.schema(path)

    with pytest.raises(DatabaseError, match="of an older Pastelbot: start the bot once"):
        await Database.open(path, update=False)

    assert schema_dumps.schema(path) == before
    assert list(tmp_path.glob("*.version-*")) == []


async def test_a_copy_is_kept_from_before_each_migration_and_the_newest_few_stay(tmp_path):
    for version in (5, 6, 7, 8, 9):
        path = tmp_path / "bot.sqlite3"
        path.unlink(missing_ok=True)
        schema_dumps.restore(schema_dumps.recorded()[version].read_text(encoding="utf-8"), path)
        await (await Database.open(path)).close()
        await (await Database.open(path)).close()
    copies = sorted(tmp_path.glob("bot.sqlite3.version-*"))

    versions = []
    for copy in copies:
        with contextlib.closing(sqlite3.connect(copy)) as opened:
            versions.append(opened.execute("PRAGMA user_version").fetchone()[0])
    assert versions == [7, 8, 9]
