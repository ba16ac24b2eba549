import asyncio
import errno
import sqlite3

import pytest
from structlog.testing import capture_logs

from pastelbot.errors import (
    StorageBusyError,
    StorageClosedError,
    StorageError,
    StorageFullError,
    StoreDamagedError,
    StoreError,
)
from pastelbot.store.database import Database
from pastelbot.store.failures import store_errors
from pastelbot.store.key_values import KeyValueStore


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3", busy_seconds=0.01)
    yield opened
    await opened.close()


async def test_a_database_that_another_program_holds_is_busy_and_works_again_after_that(database):
    memory = KeyValueStore(database)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageBusyError):
        await memory.set("name", "lost")
    other.close()
    await memory.set("name", "kept")

    assert await memory.get("name") == "kept"


async def test_a_full_database_is_full_and_works_again_with_more_space(database):
    memory = KeyValueStore(database)
    async with database.transaction() as connection:
        pages = await connection.number("PRAGMA page_count")
        await connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFullError, match="disk"):
        await memory.set("large", "x" * 100_000)
    async with database.transaction() as connection:
        await connection.execute("PRAGMA max_page_count = 1000000")
    await memory.set("large", "kept")

    assert await memory.get("large") == "kept"


async def test_a_commit_that_fails_leaves_no_transaction_open(database):
    """A deferred constraint is checked by COMMIT, which then leaves the transaction as it is."""
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        sql = "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
        await connection.execute(sql)

    with pytest.raises(StoreError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO children VALUES (1)")
    await KeyValueStore(database).set("name", "kept")

    assert await database.reader.number("SELECT COUNT(*) FROM children") == 0


async def test_a_transaction_that_is_cancelled_while_it_begins_leaves_none_open(database):
    async def write():
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO memory VALUES ('lost', '')")

    for turns in range(6):
        task = asyncio.create_task(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await KeyValueStore(database).set("name", "kept")

    assert await KeyValueStore(database).get("name") == "kept"


async def test_a_closed_database_says_that_the_bot_stops(database):
    await database.close()

    with pytest.raises(StorageClosedError, match="restarting"):
        await KeyValueStore(database).set("a", "b")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EIO, StorageError),
        (errno.EROFS, StorageError),
    ],
)
def test_what_the_file_system_refuses_has_the_same_kinds(number, kind):
    with pytest.raises(StorageError) as raised, store_errors():
        raise OSError(number, "refused")

    assert type(raised.value) is kind


async def test_pages_that_are_damaged_while_the_bot_runs_have_a_sentence_and_the_log_the_way_out(tmp_path):
    path = tmp_path / "bot.sqlite3"
    database = await Database.open(path)
    async with database.transaction() as connection:
        await connection.executemany("INSERT INTO memory VALUES (?, ?)", [(str(n), "x" * 900) for n in range(200)])
    await database.close()
    content = bytearray(path.read_bytes())
    at = content.rindex(b"x" * 900) // 4096 * 4096
    content[at : at + 4096] = b"\xff" * 4096
    database = await Database.open(path)
    path.write_bytes(content)

    with capture_logs() as logs, pytest.raises(StoreDamagedError, match="its operator has to repair it"):
        await database.reader.all("SELECT sum(length(value)) FROM memory")
    await database.close()

    (line,) = logs
    assert (line["event"], line["log_level"]) == ("the database is damaged", "error")
    assert "pastelbot db restore FOLDER" in line["cure"]


@pytest.mark.parametrize("error", [sqlite3.IntegrityError("a constraint"), UnicodeError("surrogates not allowed")])
def test_what_is_the_programs_own_fault_is_not_worth_another_try(error):
    with pytest.raises(StoreError) as raised, store_errors():
        raise error

    assert not isinstance(raised.value, StorageError)
