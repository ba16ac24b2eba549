"""A loop that does nothing for a while is noticed from outside, with what it is doing."""

import asyncio
import threading
import time

import pytest
from helpers.support import eventually
from structlog.testing import capture_logs

from pastelbot.jobs.loop_watchdog import LoopWatchdog


@pytest.fixture
def watchdog():
    watchdog = LoopWatchdog(seconds=0.1)
    yield watchdog
    watchdog.stop()


def hold_the_loop(seconds):
    time.sleep(seconds)


async def test_a_stall_is_logged_once_with_its_stack_and_its_length(watchdog):
    with capture_logs() as logs:
        watchdog.start()
        await asyncio.sleep(0.05)
        hold_the_loop(1.0)
        await eventually(lambda: len(logs) == 2)

    assert ["the event loop stalls", "the event loop goes on"] == [entry["event"] for entry in logs]
    assert "hold_the_loop" in logs[0]["stack"]
    assert logs[1]["stalled_seconds"] >= 0.9
    assert watchdog.stalls == 1
    assert watchdog.stalled_seconds >= 0.9


async def test_a_second_stall_counts_too(watchdog):
    watchdog.start()
    for _ in range(2):
        hold_the_loop(1.0)
        await asyncio.sleep(0.2)

    assert watchdog.stalls >= 2


async def test_it_ends_without_a_thread_or_a_timer(watchdog):
    before = threading.active_count()
    watchdog.start()
    assert threading.active_count() == before + 1
    watchdog.stop()

    assert threading.active_count() == before
    stalls = watchdog.stalls
    hold_the_loop(0.5)
    await asyncio.sleep(0.1)
    assert watchdog.stalls == stalls


def test_it_may_be_stopped_before_it_was_started():
    LoopWatchdog().stop()

    assert LoopWatchdog().stalls == 0
