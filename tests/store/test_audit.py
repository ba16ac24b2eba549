import pytest
from helpers.jobs import insert_job

from pastelbot.records import GenerationRequest, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.moderation.audit import AuditEntry, AuditLog

HERE, THERE, HANA, KENJI, MOD = 1, 2, 11, 12, 13


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield database
    await database.close()


@pytest.fixture
def audit(database):
    return AuditLog(database)


@pytest.fixture
def paint(database, clock):
    async def paint(prompt, *, user_id=HANA, guild_id=HERE):
        reply = ReplyTarget(channel_id=5, guild_id=guild_id)
        return await insert_job(JobStore(database), user_id, GenerationRequest(prompt=prompt), reply, now=clock())

    return paint


async def test_every_job_is_written_down_with_its_prompt_in_the_job_alone(audit, paint, clock, database):
    job = await paint("1girl, secret")
    (entry,) = await audit.page(HERE)

    assert entry == AuditEntry(
        at=clock(),
        guild_id=HERE,
        channel_id=5,
        user_id=HANA,
        action="paint",
        job_id=job.id,
        prompt="1girl, secret",
        status="queued",
    )
    (row,) = await database.reader.all("SELECT * FROM audit")
    assert "secret" not in str(tuple(row))


async def test_the_prompt_goes_with_the_job(audit, paint, database):
    job = await paint("1girl, secret")
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM jobs")
    (entry,) = await audit.page(HERE)

    assert (entry.job_id, entry.prompt) == (job.id, None)


async def test_pages_have_the_newest_first_and_one_server_alone(audit, paint, clock):
    for number in range(5):
        await paint(f"{number}")
    await paint("elsewhere", guild_id=THERE)
    await paint("alone", guild_id=None)
    await audit.record(
        AuditEntry(at=clock(), guild_id=HERE, user_id=MOD, action="block", target_id=HANA, detail="for 1h")
    )

    assert [None, "4", "3"] == [entry.prompt for entry in await audit.page(HERE, limit=3)]
    assert ["2", "1", "0"] == [entry.prompt for entry in await audit.page(HERE, limit=3, skip=3)]


async def test_a_persons_entries_are_what_they_did_and_what_was_done_to_them(audit, paint, clock):
    await paint("hers")
    await paint("his", user_id=KENJI)
    await audit.record(AuditEntry(at=clock(), guild_id=HERE, user_id=MOD, action="block", target_id=HANA))

    assert ["block", "paint"] == [entry.action for entry in await audit.page(HERE, user_id=HANA)]
    assert ["block"] == [entry.action for entry in await audit.page(HERE, user_id=MOD)]


async def test_what_is_too_old_is_forgotten(audit, paint, clock):
    await paint("old")
    clock.advance(days=90)
    await paint("new")
    await audit.purge(before=clock())

    assert ["new"] == [entry.prompt for entry in await audit.page(HERE)]
