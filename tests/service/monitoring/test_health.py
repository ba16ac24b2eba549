"""When the bot calls itself healthy."""

import asyncio

import pytest

from pastelbot.errors import StorageError
from pastelbot.jobs.dispatcher import QueueState
from pastelbot.service.monitoring.health import Health

READY = QueueState(running=0, waiting=0, ready=True, interruption="")


async def answers():
    return 1


async def fails():
    raise StorageError("The database cannot be read or written just now: try again later.")


def make(clock, state=READY, database=answers):
    health = Health(queue=lambda: state, database=database, monotonic=clock.monotonic)
    health.connected()
    return health


async def test_a_bot_that_works_is_healthy(clock):
    report = await make(clock).report()

    assert (report.is_healthy, report.discord, report.painting, report.database) == (True, "ok", "ok", "ok")


async def test_a_worker_that_loads_is_no_fault(clock):
    report = await make(clock, QueueState(running=0, waiting=3, ready=False, interruption="")).report()

    assert (report.is_healthy, report.painting) == (True, "loading")


async def test_a_worker_that_is_unloaded_is_no_fault(clock):
    report = await make(clock, QueueState(running=0, waiting=0, ready=False, interruption="", unloaded=True)).report()

    assert (report.is_healthy, report.painting) == (True, "unloaded")


@pytest.mark.parametrize("ready", [True, False])
async def test_what_interrupts_painting_is_named(clock, ready):
    why = "⚠️ Painting is interrupted: the disk of the bot is full."
    report = await make(clock, QueueState(running=0, waiting=3, ready=ready, interruption=why)).report()

    assert (report.is_healthy, report.painting) == (False, "Painting is interrupted: the disk of the bot is full.")


async def test_a_database_that_fails_is_named(clock):
    report = await make(clock, database=fails).report()

    assert not report.is_healthy
    assert report.database.startswith("The database cannot be read")


async def test_a_gateway_that_reconnects_soon_is_no_fault_and_one_that_stays_away_is(clock):
    health = make(clock)
    health.disconnected()
    clock.advance(seconds=100)
    health.disconnected()  # each attempt in vain ends so
    assert (await health.report()).is_healthy
    clock.advance(seconds=30)
    assert (await health.report()).discord == "not connected for 130 s"
    health.connected()

    assert (await health.report()).is_healthy


async def test_a_shard_that_stays_away_is_named(clock):
    health = make(clock)
    health.connected(0, of=3)
    health.connected(1, of=3)
    assert health.shards_away == 1
    clock.advance(seconds=130)

    assert (await health.report()).discord == "shard 2 is not connected for 130 s"
    health.connected(2, of=3)
    assert (await health.report()).is_healthy


async def test_a_bot_that_never_gets_to_discord_is_not_healthy(clock):
    health = Health(queue=lambda: READY, database=answers, monotonic=clock.monotonic)
    assert (await health.report()).is_healthy
    clock.advance(seconds=121)

    assert not (await health.report()).is_healthy


async def test_a_database_that_hangs_is_named():
    health = Health(queue=lambda: READY, database=asyncio.Event().wait, patience=0.01)
    health.connected()

    assert (await health.report()).database == "no answer in 0.01 s"
