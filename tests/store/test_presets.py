import asyncio

import pytest

from pastelbot.errors import LimitError
from pastelbot.store.database import Database
from pastelbot.store.presets import PERSONAL, Preset, PresetStore


@pytest.fixture
async def store(settings):
    database = await Database.open(settings.storage.database)
    yield PresetStore(database)
    await database.close()


@pytest.fixture
def preset(clock):
    def preset(name="mine", *, owner=1, guild=PERSONAL, **values):
        return Preset(owner_id=owner, guild_id=guild, name=name, values=values or {"steps": 5}, saved_at=clock())

    return preset


async def test_presets_are_kept_by_name_whatever_its_case(store, preset):
    assert not await store.save(preset("Mine"), limit=5)
    assert await store.save(preset("mINE", cfg=3.5), limit=5)

    assert [preset("mINE", cfg=3.5)] == await store.personal(1)
    assert [] == await store.personal(2)


async def test_a_servers_presets_are_apart_from_peoples(store, preset):
    await store.save(preset(owner=1), limit=5)
    await store.save(preset(owner=1, guild=7), limit=5)
    await store.save(preset(owner=2), limit=5)

    assert [preset(owner=1, guild=7)] == await store.shared(7)
    assert [] == await store.shared(PERSONAL)
    await store.delete(preset(owner=1, guild=7))
    assert ([], 1, 1) == (await store.shared(7), len(await store.personal(1)), len(await store.personal(2)))


async def test_the_cap_holds_for_many_at_once(store, preset):
    results = await asyncio.gather(
        *(store.save(preset(f"number {number}"), limit=3) for number in range(10)), return_exceptions=True
    )

    assert 7 == sum(isinstance(result, LimitError) for result in results)
    assert 3 == len(await store.personal(1))
