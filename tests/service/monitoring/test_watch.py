"""What the operator is alerted of."""

import sqlite3

import pytest

from pastelbot.errors import StoreError
from pastelbot.records import WorkerLost
from pastelbot.service.monitoring.metrics import Metrics
from pastelbot.service.monitoring.refusals import Refusals
from pastelbot.service.monitoring.watch import Watch
from pastelbot.store.database import Database
from pastelbot.store.maintenance.disk_space import DiskSpace


class Taker:
    """Takes every alert, or none."""

    def __init__(self):
        self.takes = True
        self.offered = []

    async def offer(self, alert):
        self.offered.append(alert)
        return self.takes


class Room:
    """A watch on a sound bot, and what it looks at."""

    def __init__(self, database, folder, clock):
        self.database = database
        self.alerts, self.metrics, self.refusals = Taker(), Metrics(), Refusals(monotonic=clock.monotonic)
        self.free = 2**40
        self.space = DiskSpace([folder], least=2**20, free_bytes=lambda _folder: self.free)

    async def look(self, alarm=0.0):
        self.alerts.offered.clear()
        parts = (self.alerts, self.metrics, self.refusals, self.database, self.space)
        self.watch = getattr(self, "watch", None) or Watch(*parts, database_alarm=alarm)
        await self.watch.look()
        return [alert.title for alert in self.alerts.offered]


@pytest.fixture
async def room(tmp_path, clock):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield Room(database, tmp_path, clock)
    await database.close()


async def test_a_sound_bot_alerts_nobody(room):
    room.refusals.note(404)

    assert await room.look() == []


async def test_lost_workers_are_told_once_with_their_number_and_reason(room):
    room.metrics.worker_lost(WorkerLost(reason="it was killed"))
    room.metrics.worker_lost(WorkerLost(reason="it ended", detail="ImportError: torch"))
    room.alerts.takes = False
    assert await room.look() == ["The worker was lost"]
    room.alerts.takes = True
    assert await room.look() == ["The worker was lost"]
    (alert,) = room.alerts.offered
    assert alert.text == "It ended 2 times and is started again. The last time: it ended: ImportError: torch."
    assert await room.look() == []
    room.metrics.worker_lost(WorkerLost(reason="it was killed"))
    await room.look()

    assert room.alerts.offered[0].text.startswith("It ended once and is started again.")


async def test_a_full_disk_is_offered_as_long_as_it_is_full(room):
    room.free = 5
    assert [await room.look(), await room.look()] == [["The disk is full"]] * 2
    room.free = 2**40

    assert await room.look() == []


async def test_a_large_database_is_offered(room):
    assert await room.look(alarm=1.0) == ["The database is large"]


async def test_many_refusals_in_ten_minutes_are_offered_with_the_commonest_status(room, clock):
    for _ in range(19):
        room.refusals.note(403)
    assert await room.look() == []
    room.refusals.note(502)
    assert await room.look() == ["Discord refuses requests"]
    assert "20 requests in ten minutes, most often with status 403" in room.alerts.offered[0].text
    clock.advance(seconds=601)

    assert await room.look() == []


async def test_a_page_that_is_found_damaged_is_offered(tmp_path, clock):
    path = tmp_path / "bot.sqlite3"
    database = await Database.open(path)
    async with database.transaction() as transaction:
        await transaction.execute("CREATE TABLE wide (x)")
        await transaction.executemany("INSERT INTO wide VALUES (?)", [("x" * 500,)] * 400)
    await database.close()
    with sqlite3.connect(path) as other:
        page = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'wide'").fetchone()[0]
        size = other.execute("PRAGMA page_size").fetchone()[0]
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    database = await Database.open(path)
    room = Room(database, tmp_path, clock)
    assert await room.look() == []
    with pytest.raises(StoreError):
        await database.reader.all("SELECT * FROM wide")

    assert await room.look() == ["The database is damaged"]
    assert "pastelbot db restore" in room.alerts.offered[0].text
    await database.close()
