import asyncio

import pytest
from helpers.support import png

from pastelbot.records import GenerationRequest, InitImage, JobOptions
from pastelbot.store.confirmations import ConfirmationStore, Plan
from pastelbot.store.database import Database

HANA, KENJI = 1, 2


@pytest.fixture
async def database(settings):
    database = await Database.open(settings.storage.database)
    yield database
    await database.close()


@pytest.fixture
def store(database):
    return ConfirmationStore(database)


def plan(*, init=None):
    requests = tuple(GenerationRequest(prompt=prompt, init=init) for prompt in ("a", "b"))
    return Plan(user_id=HANA, guild_id=5, requests=requests, options=JobOptions(spoiler=True, origin="0" * 12))


async def test_a_plan_is_taken_once_and_by_its_person_alone(store, clock):
    number = await store.add(plan(), now=clock())

    assert await store.take(number, KENJI, now=clock()) is None
    assert plan() == await store.take(number, HANA, now=clock())
    assert await store.take(number, HANA, now=clock()) is None


async def test_what_could_not_be_carried_out_can_be_taken_again(store, clock):
    number = await store.add(plan(), now=clock())
    taken = await store.take(number, HANA, now=clock())
    await store.put_back(number, taken, now=clock())

    assert plan() == await store.take(number, HANA, now=clock())


async def test_plans_expire(store, database, clock):
    old = await store.add(plan(), now=clock())
    clock.advance(hours=2)

    assert await store.take(old, HANA, now=clock()) is None
    await store.add(plan(), now=clock())
    clock.advance(hours=2)
    await store.add(plan(), now=clock())
    assert await database.reader.number("SELECT COUNT(*) FROM confirmations") == 1


async def test_a_picture_to_start_from_is_kept_once(store, database, clock):
    started = plan(init=InitImage.of(png(size=(64, 64))))
    number = await store.add(started, now=clock())

    assert (await database.reader.value("SELECT plan FROM confirmations")).count(started.requests[0].init.file) == 1
    assert started == await store.take(number, HANA, now=clock())


async def test_of_many_clicks_at_once_one_gets_the_plan(store, clock):
    number = await store.add(plan(), now=clock())
    taken = await asyncio.gather(*(store.take(number, HANA, now=clock()) for _ in range(20)))

    assert [plan()] == [each for each in taken if each is not None]
