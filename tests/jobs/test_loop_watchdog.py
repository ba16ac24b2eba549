"""A loop that does nothing for a while is noticed from outside, with what it is doing."""

import asyncio
import threading
import time

import pytest
from helpers.support import PATIENCE, eventually
from structlog.testing import capture_logs

from pastelbot.jobs.loop_watchdog import LoopWatchdog


class HandClock:
    """A clock that only the test moves, so that a machine that gives the test no time stalls nothing."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def watchdog(clock):
    watchdog = LoopWatchdog(seconds=0.1, clock=clock)
    yield watchdog
    watchdog.stop()


def hold_the_loop(clock, watchdog):
    """Let a second pass in which the loop does nothing, and half a second more when that was noticed."""
    before, last = watchdog.stalls, time.monotonic() + PATIENCE
    clock.now += 1.0
    while watchdog.stalls == before:
        assert time.monotonic() < last, "the stall was not noticed"
        time.sleep(0.005)
    clock.now += 0.5
    time.sleep(0.1)


async def test_a_stall_is_logged_once_with_its_stack_and_its_length(clock, watchdog):
    with capture_logs() as logs:
        watchdog.start()
        await asyncio.sleep(0.05)
        hold_the_loop(clock, watchdog)
        await eventually(lambda: len(logs) == 2)

    assert ["the event loop stalls", "the event loop goes on"] == [entry["event"] for entry in logs]
    assert "hold_the_loop" in logs[0]["stack"]
    assert 1.0 == logs[0]["seconds"]
    assert 1.5 == logs[1]["stalled_seconds"] == watchdog.stalled_seconds
    assert 1 == watchdog.stalls


async def test_a_second_stall_counts_too(clock, watchdog):
    watchdog.start()
    for stalled in (1.5, 3.0):
        hold_the_loop(clock, watchdog)
        await eventually(lambda stalled=stalled: watchdog.stalled_seconds == stalled)

    assert 2 == watchdog.stalls


async def test_it_ends_without_a_thread_or_a_timer(clock, watchdog):
    before = threading.active_count()
    watchdog.start()
    assert threading.active_count() == before + 1
    watchdog.stop()

    assert threading.active_count() == before
    clock.now += 1.0
    await asyncio.sleep(0.1)
    assert 0 == watchdog.stalls
    assert 0.0 == watchdog.stalled_seconds


def test_it_may_be_stopped_before_it_was_started():
    LoopWatchdog().stop()

    assert LoopWatchdog().stalls == 0
