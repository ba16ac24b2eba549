"""The one writer of the audit log."""

from datetime import timedelta

import pytest
from helpers.services import audit_trail

from pastelbot.records import Actor
from pastelbot.store.database import Database

HERE, MOD, HANA = 5, 1, 2
ACTOR = Actor(user_id=MOD, guild_id=HERE)


@pytest.fixture
async def trail(settings, clock):
    database = await Database.open(settings.storage.database)
    yield audit_trail(database, clock)
    await database.close()


async def page(trail, user_id=None):
    return await trail.page(HERE, user_id=user_id, limit=10, skip=0)


async def test_an_entry_says_who_did_what_to_whom_when(trail, clock):
    await trail.record(ACTOR, "block", target_id=HANA, detail="for good")
    (entry,) = await page(trail, HANA)

    assert (entry.at, entry.user_id, entry.action, entry.target_id) == (clock(), MOD, "block", HANA)
    assert entry.detail == "for good"


async def test_a_long_detail_is_cut(trail):
    await trail.record(ACTOR, "words", detail="x" * 5000)

    assert (await page(trail))[0].detail == "x" * 1000


async def test_old_entries_are_purged(trail, clock):
    await trail.record(ACTOR, "drain")
    clock.advance(days=2)
    await trail.record(ACTOR, "resume")
    await trail.purge(before=clock() - timedelta(days=1))

    assert [entry.action for entry in await page(trail)] == ["resume"]
