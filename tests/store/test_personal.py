import pytest
from helpers.jobs import insert_job
from helpers.support import png

from pastelbot.records import GenerationRequest, InitImage, JobStatus, Picture, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.gallery import GalleryStore
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.personal_data import PERSONAL, PersonalStore, StartPicture
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.settings import Scope, SettingsStore
from pastelbot.store.stored_pictures import content_name

HANA, KENJI, SERVER = 1, 2, 20
# What a column is called that holds a person's id.
PERSON = ("user_id", "owner_id", "author_id", "member_id", "person_id", "granted_by", "target_id", "moderator_id")


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def store(database):
    return PersonalStore(database)


async def columns_of_people(database):
    """Walk all tables; return the (table, column) pairs that hold a person's id."""
    found = set()
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = [row["name"] for row in await database.reader.all(sql)]
    for table in tables:
        names = [row["name"] for row in await database.reader.all("SELECT name FROM pragma_table_info(?)", table)]
        found |= {(table, name) for name in names if name in PERSON or name.endswith(("_by", "_user", "_user_id"))}
    return found


async def test_every_table_with_a_person_in_it_is_exported_and_forgotten_or_kept_for_a_reason(database):
    """A new table with a person's id must be added to PERSONAL in store/personal.py."""
    covered = {(personal.table, personal.column) for personal in PERSONAL}

    assert covered - {("settings", "id")} == await columns_of_people(database)


def test_what_is_kept_has_a_reason():
    kept = {personal.table for personal in PERSONAL if personal.kept}
    assert kept == {"balances", "grants", "blocks", "audit"}
    assert all(personal.kept is None or personal.kept.startswith("so that ") for personal in PERSONAL)


async def fill(database, user_id):
    """Put a row of this person's into every table that can have one."""
    async with database.transaction() as connection:
        for personal in PERSONAL:
            if personal.table in {"jobs", "gallery", "votes", "settings"}:
                continue
            rows = await connection.all("SELECT * FROM pragma_table_info(?)", personal.table)
            values = {row["name"]: {"TEXT": f"'{user_id}'", "REAL": "0.0"}.get(row["type"], "0") for row in rows}
            values[personal.column] = str(user_id)
            values.pop("init_file", None)
            if personal.where == "guild_id <> 0":
                values["guild_id"] = "20"
            for key in ("id", "number"):
                if key in values and "TEXT" not in {row["type"] for row in rows if row["name"] == key}:
                    del values[key]
            columns, shown = ", ".join(values), ", ".join(values.values())
            sql = f"INSERT OR REPLACE INTO {personal.table} ({columns}) VALUES ({shown})"  # noqa: S608 - our own words
            await connection.execute(sql)


class Person:
    """A user with a picture in the gallery, a vote, and settings."""

    def __init__(self, database, folder, clock, user_id):
        self.database = database
        self.clock = clock
        self.id = user_id
        self.jobs = JobStore(database)
        self.files = PictureFiles(folder, database)
        self.gallery = GalleryStore(database)

    async def paint(self, *, message_id, init=None, status=JobStatus.DONE, content=None):
        request = GenerationRequest(prompt=f"1girl, of {self.id}", init=init)
        reply = ReplyTarget(channel_id=10, guild_id=SERVER, message_id=message_id)
        job = await insert_job(self.jobs, self.id, request, reply, now=self.clock())
        await self.jobs.lease([job.id], now=self.clock())
        content = content or png(size=(self.id, message_id))
        async with self.files.keeping([Picture(png=content, seed=5, width=8, height=8, infotext="1girl")]) as stored:
            await self.jobs.rendered(job.id, stored, seconds=1.0)
        if status is JobStatus.DONE:
            await self.jobs.posted(job.id, message_id)
            await self.jobs.done(job.id, now=self.clock())
        return job.id

    async def live(self):
        job_id = await self.paint(message_id=100 + self.id)
        job = await self.jobs.get(job_id)
        self.entry = await self.gallery.share(job, 0, guild_id=SERVER, adult=False, tags=["1girl"], now=self.clock())
        await self.gallery.set_post(self.entry, 50, 200 + self.id)
        await SettingsStore(self.database).update(Scope.USER, self.id, {"steps": 30})
        await fill(self.database, self.id)


@pytest.fixture
async def people(database, tmp_path, clock):
    """Two people who voted for each other."""
    both = [Person(database, tmp_path / "pictures", clock, user_id) for user_id in (HANA, KENJI)]
    for person in both:
        await person.live()
    for person, other in (both, reversed(both)):
        await person.gallery.toggle_vote(other.entry, person.id, now=clock())
    return both


@pytest.mark.usefixtures("people")
async def test_all_rows_about_a_user_are_exported_and_no_others(store):
    rows = await store.rows(HANA)

    assert set(rows) == {personal.table for personal in PERSONAL}
    for table, found in rows.items():
        assert found, table
        columns = {personal.column for personal in PERSONAL if personal.table == table}
        assert all(HANA in [row[column] for column in columns] for row in found), table
    assert rows["jobs"][0]["request"]["prompt"] == "1girl, of 1"


@pytest.mark.usefixtures("people")
async def test_forgetting_deletes_what_is_not_kept_and_nothing_of_others(store, database):
    before = await store.rows(KENJI)
    files = await store.forget(HANA)
    rows = await store.rows(HANA)

    kept = {personal.table for personal in PERSONAL if personal.kept is not None}
    assert kept == {table for table, found in rows.items() if found}
    assert len(files) == 1
    after = await store.rows(KENJI)
    assert {**before, "votes": []} == {**after, "votes": []}
    assert after["votes"] == [], "its picture is gone, and the vote with it"
    shared = await database.reader.all("SELECT owner_id FROM presets WHERE guild_id <> 0")
    assert sorted(row[0] for row in shared) == [0, KENJI]


async def test_forgetting_marks_all_messages_to_be_deleted(store, people):
    await store.forget(HANA)

    erasures = await people[0].gallery.erasures(limit=10)

    assert {101, 201} <= {erasure.message_id for erasure in erasures}
    assert not {102, 202} & {erasure.message_id for erasure in erasures}


async def test_nothing_of_a_forgotten_person_is_left_in_the_search(store, people, database):
    await store.forget(HANA)

    assert await database.reader.number("SELECT COUNT(*) FROM gallery_tags") == 1
    found = await database.reader.all("SELECT rowid FROM gallery_search WHERE gallery_search MATCH '1girl'")
    assert [row[0] for row in found] == [people[1].entry]


async def test_the_picture_that_a_job_starts_from_is_exported_by_itself(store, people):
    content = png("blue")
    job_id = await people[0].paint(message_id=300, init=InitImage.of(content))
    rows = await store.rows(HANA)

    assert all("content" not in (row["request"]["init"] or {}) for row in rows["jobs"])
    (start,) = await store.start_pictures(HANA)
    assert start == StartPicture(job_id=job_id, file=content_name(content), size=len(content))
    assert await store.start_pictures(KENJI) == []
    assert content_name(content) in await store.forget(HANA)


async def test_what_is_not_finished_is_known(store, people):
    job_id = await people[0].paint(message_id=300, status=JobStatus.RENDERED)

    assert [job_id] == await store.active_jobs(HANA)
    assert await store.active_jobs(KENJI) == []


async def test_many_jobs_are_all_exported(store, people):
    for number in range(60):
        await people[0].paint(message_id=1000 + number, content=png())

    assert len((await store.rows(HANA))["jobs"]) == 61
    assert len(await store.pictures(HANA)) == 61
