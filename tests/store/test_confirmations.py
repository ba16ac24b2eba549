import asyncio

import pytest
from helpers.support import png

from pastelbot.records import GenerationRequest, InitImage, JobOptions
from pastelbot.store.confirmations import ConfirmationStore, Plan
from pastelbot.store.database import Database
from pastelbot.store.jobs.rows import init_name, without_content
from pastelbot.store.picture_files import PictureFiles

HANA, KENJI = 1, 2


@pytest.fixture
async def database(settings):
    database = await Database.open(settings.storage.database)
    yield database
    await database.close()


@pytest.fixture
def store(settings, database):
    return ConfirmationStore(database, PictureFiles(settings.storage.pictures, database))


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


async def test_a_picture_to_start_from_is_kept_once_and_as_a_file(store, settings, database, clock):
    started = plan(init=InitImage.of(png(size=(64, 64))))
    number = await store.add(started, now=clock())

    (name,) = [init_name(request) for request in started.requests[:1]]
    row = await database.reader.one("SELECT plan, init_file FROM confirmations")
    assert (row["plan"].count(name), row["init_file"]) == (1, name)
    assert png(size=(64, 64)) == (settings.storage.pictures / name).read_bytes()
    taken = await store.take(number, HANA, now=clock())
    assert [without_content(request) for request in started.requests] == list(taken.requests)


async def test_of_a_users_many_questions_the_newest_count_and_the_pictures_of_the_others_go(store, settings, clock):
    contents = [png(size=(64, 8 + number)) for number in range(15)]
    numbers = []
    for content in contents:
        clock.advance(seconds=1)
        numbers.append(await store.add(plan(init=InitImage.of(content)), now=clock()))

    assert len([path for path in settings.storage.pictures.rglob("*") if path.is_file()]) == 10
    assert await store.take(numbers[4], HANA, now=clock()) is None
    assert await store.take(numbers[5], HANA, now=clock()) is not None


async def test_of_many_clicks_at_once_one_gets_the_plan(store, clock):
    number = await store.add(plan(), now=clock())
    taken = await asyncio.gather(*(store.take(number, HANA, now=clock()) for _ in range(20)))

    assert [plan()] == [each for each in taken if each is not None]
