import asyncio
import sqlite3

import pytest

from pastelbot.errors import DatabaseError, StoreError
from pastelbot.store import database as module
from pastelbot.store.database import Database
from pastelbot.store.key_values import KeyValueStore


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "deep" / "bot.sqlite3")
    yield opened
    await opened.close()


async def test_opens_twice_and_keeps_what_was_written(tmp_path):
    for text in (None, "kept"):
        database = await Database.open(tmp_path / "bot.sqlite3")
        memory = KeyValueStore(database)

        assert await memory.get("name") == text
        await memory.set("name", "kept")
        await database.close()


@pytest.mark.parametrize(("options", "level"), [({}, 2), ({"durable": True}, 2), ({"durable": False}, 1)])
async def test_a_commit_waits_for_the_disk_unless_it_need_not(tmp_path, options, level):
    """SQLite syncs its log with each commit at level 2, FULL, and only with a checkpoint at level 1, NORMAL."""
    database = await Database.open(tmp_path / "bot.sqlite3", **options)
    async with database.transaction() as transaction:
        assert await transaction.number("PRAGMA synchronous") == level
    await database.close()


async def test_a_failed_transaction_leaves_nothing(database):
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO memory VALUES ('a', 'b')")
            _ = 1 / 0

    assert await KeyValueStore(database).get("a") is None


async def test_concurrent_transactions_do_not_share_a_rollback(database):
    """One coroutine's rollback never takes another's insert with it."""

    async def write(name, *, fail):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO memory VALUES (?, '')", name)
            await asyncio.sleep(0)
            if fail:
                raise KeyError(name)

    await asyncio.gather(*(write(str(n), fail=n % 2 == 1) for n in range(10)), return_exceptions=True)

    assert [await KeyValueStore(database).get(str(n)) is not None for n in range(10)] == [True, False] * 5


async def test_the_reader_cannot_write(database):
    with pytest.raises(StoreError, match="cannot be read or written") as raised:
        await database.reader.all("INSERT INTO memory VALUES ('a', 'b')")

    assert "readonly" in str(raised.value.__cause__)


async def test_an_answer_comes_as_rows_a_row_a_value_or_a_number(database):
    async with database.transaction() as connection:
        await connection.executemany("INSERT INTO memory VALUES (?, ?)", [("a", "1"), ("b", "2")])
        assert await connection.execute("UPDATE memory SET value = '3' WHERE name = ?", "b") == 1
        assert await connection.value("SELECT value FROM memory WHERE name = ?", "b") == "3"
    reader = database.reader

    assert [tuple(row) for row in await reader.all("SELECT * FROM memory ORDER BY name")] == [("a", "1"), ("b", "3")]
    assert tuple(await reader.one("SELECT * FROM memory WHERE name = :name", name="a")) == ("a", "1")
    assert await reader.one("SELECT * FROM memory WHERE name = ?", "c") is None
    assert await reader.value("SELECT value FROM memory WHERE name = ?", "c") is None
    assert await reader.number("SELECT MAX(value) FROM memory WHERE name = ?", "c") == 0
    assert await reader.number("SELECT COUNT(*) FROM memory") == 2


@pytest.mark.parametrize("sql", ["INSERT INTO nowhere VALUES (1)", "INSERT INTO memory VALUES ('a', NULL)"])
async def test_what_sqlite_refuses_is_a_store_error_and_leaves_nothing(database, sql):
    with pytest.raises(StoreError) as raised:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO memory VALUES ('b', '')")
            await connection.execute(sql)

    assert isinstance(raised.value.__cause__, sqlite3.Error)
    assert await KeyValueStore(database).get("b") is None


async def test_a_closed_database_is_a_store_error(tmp_path):
    database = await Database.open(tmp_path / "bot.sqlite3")
    await database.close()

    with pytest.raises(StoreError):
        await database.reader.all("SELECT 1")
    with pytest.raises(StoreError):
        await KeyValueStore(database).set("a", "b")


async def test_a_failed_migration_leaves_the_old_version(tmp_path, monkeypatch):
    """Tables and version number arrive together or not at all, and a mended migration then runs."""
    known = module.migrations()
    path = tmp_path / "bot.sqlite3"
    await (await Database.open(path)).close()
    number = known[-1][0] + 1
    broken = [*known, (number, "CREATE TABLE fresh (a); INSERT INTO nowhere VALUES (1);")]
    monkeypatch.setattr(module, "migrations", lambda: broken)

    with pytest.raises(DatabaseError, match="nowhere"):
        await Database.open(path)
    with sqlite3.connect(path) as raw:
        assert known[-1][0] == raw.execute("PRAGMA user_version").fetchone()[0]
        assert raw.execute("SELECT name FROM sqlite_master WHERE name = 'fresh'").fetchall() == []
    raw.close()

    monkeypatch.setattr(module, "migrations", lambda: [*known, (number, "CREATE TABLE fresh (a);")])
    await (await Database.open(path)).close()


async def test_a_newer_programs_file_is_refused(tmp_path):
    path = tmp_path / "bot.sqlite3"
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 9999")
    raw.close()

    with pytest.raises(DatabaseError, match="newer"):
        await Database.open(path)


@pytest.mark.parametrize("kind", ["folder", "text", "file as folder"])
async def test_an_impossible_place_is_named(tmp_path, kind):
    path = tmp_path / "bot.sqlite3"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is no database, and long enough to be looked at as one " * 20, encoding="utf-8")
    else:
        (tmp_path / "file").write_text("", encoding="utf-8")
        path = tmp_path / "file" / "bot.sqlite3"

    with pytest.raises(DatabaseError, match=r"bot\.sqlite3"):
        await Database.open(path)


async def test_what_was_written_is_seen_however_many_read_at_the_same_time(tmp_path):
    """A reader that takes its time must not hold the others at the moment of its beginning."""
    database = await Database.open(tmp_path / "bot.sqlite3")
    memory = KeyValueStore(database)
    stop = asyncio.Event()

    async def read_without_end():
        while not stop.is_set():
            await asyncio.sleep(0)
            await database.reader.one("SELECT * FROM memory")

    readers = [asyncio.create_task(read_without_end()) for _ in range(20)]
    seen = []
    for number in range(50):
        await memory.set("number", f"{number}")
        seen.append(await memory.get("number"))
    stop.set()
    await asyncio.gather(*readers)
    await database.close()

    assert seen == [f"{number}" for number in range(50)]
