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


class CountedDatabase:
    """A database that counts what is read, and lets a test do something while it is."""

    def __init__(self, database):
        self.transaction, self._reader = database.transaction, database.reader
        self.kept_settings = database.kept_settings
        self.reads = 0
        self.meanwhile = None

    @property
    def reader(self):
        return self

    async def all(self, sql, *values):
        self.reads += 1
        rows = await self._reader.all(sql, *values)
        if self.meanwhile is not None:
            work, self.meanwhile = self.meanwhile, None
            await work()
        return rows


@pytest.fixture
async def counted(tmp_path):
    database = await Database.open(tmp_path / "counted.sqlite3")
    yield CountedDatabase(database)
    await database.close()


async def test_settings_of_servers_are_read_once_until_they_change(counted):
    store = SettingsStore(counted)
    for _ in range(3):
        assert await store.together({Scope.GUILD: [1], Scope.ROLE: [2, 3]}) == {Scope.GUILD: {}, Scope.ROLE: {}}
    assert counted.reads == 1
    await store.update(Scope.GUILD, 1, {"steps": 20})

    assert await store.all(Scope.GUILD, 1) == {"steps": 20}
    assert counted.reads == 2
    await store.all(Scope.ROLE, 2)
    assert counted.reads == 2


async def test_what_is_read_while_it_changes_is_not_kept(counted):
    store = SettingsStore(counted)
    counted.meanwhile = lambda: store.update(Scope.GUILD, 1, {"steps": 20})
    await store.all(Scope.GUILD, 1)

    assert await store.all(Scope.GUILD, 1) == {"steps": 20}


async def test_what_a_reader_changes_stays_with_the_reader(counted):
    store = SettingsStore(counted)
    await store.update(Scope.GUILD, 1, {"words": ["a"]})
    (await store.all(Scope.GUILD, 1))["words"].append("b")

    assert await store.all(Scope.GUILD, 1) == {"words": ["a"]}


async def test_settings_of_users_are_always_read(counted):
    """Users delete theirs with all their data, elsewhere."""
    store = SettingsStore(counted)
    for _ in range(2):
        await store.all(Scope.USER, 1)

    assert counted.reads == 2
