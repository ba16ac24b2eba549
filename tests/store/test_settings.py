import pytest

from pastelbot.store.database import Database
from pastelbot.store.settings import Scope, SettingsStore


@pytest.fixture
async def store(tmp_path):
    database = await Database.open(tmp_path / "test.sqlite3")
    yield SettingsStore(database)
    await database.close()


async def test_values_of_every_kind_come_back_as_they_were(store):
    values = {"steps": 20, "cfg": 6.5, "hires": False, "words": ["a", "b"], "sampler": "Euler a"}
    await store.update(Scope.GUILD, 1, values)

    assert await store.all(Scope.GUILD, 1) == values


async def test_scopes_and_owners_are_apart(store):
    await store.update(Scope.USER, 1, {"steps": 20})

    assert await store.all(Scope.GUILD, 1) == {}
    assert await store.all(Scope.USER, 2) == {}


async def test_a_later_value_replaces_and_none_removes(store):
    await store.update(Scope.USER, 1, {"steps": 20, "cfg": 7})
    await store.update(Scope.USER, 1, {"steps": 30, "cfg": None})

    assert await store.all(Scope.USER, 1) == {"steps": 30}


async def test_settings_of_several_owners_are_read_together(store):
    await store.update(Scope.GUILD, 1, {"a": 1})
    await store.update(Scope.ROLE, 1, {"a": 2, "b": [3]})
    await store.update(Scope.ROLE, 2, {"a": 4})
    await store.update(Scope.CHANNEL, 1, {"a": 5})
    found = await store.together({Scope.GUILD: [1], Scope.ROLE: [1, 9], Scope.CHANNEL: []})

    assert found == {Scope.GUILD: {1: {"a": 1}}, Scope.ROLE: {1: {"a": 2, "b": [3]}}, Scope.CHANNEL: {}}
    assert await store.each(Scope.ROLE, [1, 2, 3]) == {1: {"a": 2, "b": [3]}, 2: {"a": 4}}
    assert await store.owners(Scope.ROLE, "a") == {1: 2, 2: 4}
