import os
import signal

import pytest
from helpers import fake_workers
from helpers.support import ended, eventually

from pastelbot.config import CheckpointSettings, WorkerOptions
from pastelbot.jobs.background import call_later
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.records import (
    Cancel,
    GenerationRequest,
    Paint,
    Painted,
    PaintingCancelled,
    Progress,
    WorkerLost,
    WorkerReady,
)

OPTIONS = WorkerOptions(checkpoint=CheckpointSettings(path="fake"))


class Watched:
    """An executor and the events that it reported."""

    def __init__(self, target, first_pause):
        self.events, self.pauses, self.timers = [], [], []
        self.executor = ProcessExecutor(
            OPTIONS, target=target, first_pause=first_pause, patience=1.0, later=self.note_pause
        )

    def note_pause(self, seconds, callback):
        """Note the pause before a restart, and make it short."""
        self.pauses.append(seconds)
        self.timers.append(call_later(0.05, callback))
        return self.timers[-1]

    async def start(self):
        self.executor.start(self.events.append)

    def paint(self, job_id, prompt="1girl"):
        self.executor.send(Paint(job_id=job_id, request=GenerationRequest(prompt=prompt)))

    def heard(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    async def hears(self, kind, count=1):
        """Wait for that many events of a kind; return the last one."""
        await eventually(lambda: len(self.heard(kind)) >= count)
        return self.heard(kind)[-1]


@pytest.fixture
async def start():
    started = []

    async def start(target, *, first_pause=1.0):
        watched = Watched(target, first_pause)
        started.append(watched)
        await watched.start()
        return watched

    yield start
    for watched in started:
        await watched.executor.close()


async def test_a_job_goes_down_and_its_events_come_up_in_order(start):
    worker = await start(fake_workers.obedient)
    ready = await worker.hears(WorkerReady)
    worker.paint("a")
    await worker.hears(Painted)

    assert ready.checkpoint == "fake"
    assert [type(event) for event in worker.events] == [WorkerReady, Progress, Painted]


async def test_a_job_can_be_cancelled(start):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    worker.paint("a", "slow")
    await worker.hears(Progress)
    worker.executor.send(Cancel(job_id="a"))

    assert (await worker.hears(PaintingCancelled)).job_id == "a"


@pytest.mark.parametrize("sort", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_worker_is_reported_and_replaced(start, sort):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    first = worker.executor.pid
    os.kill(first, sort)
    lost = await worker.hears(WorkerLost)
    await worker.hears(WorkerReady, 2)
    worker.paint("a")
    await worker.hears(Painted)

    assert lost.reason == f"the worker process ended with exit code -{sort.value}"
    assert worker.executor.pid != first


async def test_a_worker_that_dies_of_a_job_is_reported_once(start):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    worker.paint("a", "poison")
    await worker.hears(WorkerReady, 2)

    assert [lost.reason for lost in worker.heard(WorkerLost)] == ["the worker process ended with exit code 3"]


async def test_a_worker_that_cannot_load_says_why_and_is_tried_again_ever_later(start):
    worker = await start(fake_workers.unloadable)
    await worker.hears(WorkerLost, 2)

    assert {lost.reason for lost in worker.heard(WorkerLost)} == {"The checkpoint is not there."}
    assert worker.pauses == [1.0, 2.0]


async def test_a_worker_that_dies_of_an_error_says_what_it_was(start):
    worker = await start(fake_workers.talkative)
    lost = await worker.hears(WorkerLost)

    assert (lost.reason, lost.detail) == (
        "the worker process ended with exit code 1",
        "FileNotFoundError: No usable temporary directory",
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (fake_workers.unloadable, "the checkpoint cannot be loaded"),
        (fake_workers.talkative, "no folder for temporary files"),
        (fake_workers.incomplete, "a part of the worker is not installed"),
        (fake_workers.short_of_memory, "perhaps for want of memory"),
        (fake_workers.stillborn, "the worker cannot start"),
    ],
)
async def test_a_worker_that_fails_to_start_twice_says_to_users_why(start, target, said):
    worker = await start(target)
    await worker.hears(WorkerLost, 2)
    first, second = worker.heard(WorkerLost)[:2]

    assert first.interruption == ""
    assert said in second.interruption


async def test_a_worker_that_dies_after_it_was_ready_interrupts_nothing(start):
    worker = await start(fake_workers.obedient)
    for number in (1, 2, 3):
        await worker.hears(WorkerReady, number)
        worker.paint("a", "poison")
        await worker.hears(WorkerLost, number)

    assert [lost.interruption for lost in worker.heard(WorkerLost)] == ["", "", ""]


async def test_the_pause_has_an_end(start):
    worker = await start(fake_workers.unloadable, first_pause=50.0)
    await worker.hears(WorkerLost, 3)

    assert worker.pauses == [50.0, 60.0, 60.0]


async def test_the_pause_starts_anew_with_a_ready_worker(start):
    worker = await start(fake_workers.obedient)
    for number in (1, 2):
        await worker.hears(WorkerReady, number)
        os.kill(worker.executor.pid, signal.SIGKILL)
        await worker.hears(WorkerLost, number)

    assert worker.pauses == [1.0, 1.0]


async def test_a_worker_that_does_not_answer_is_killed_with_the_reason(start):
    worker = await start(fake_workers.deaf)
    await worker.hears(WorkerReady)
    worker.executor.restart("the worker sent nothing for 61 s")
    lost = await worker.hears(WorkerLost)
    await worker.hears(WorkerReady, 2)

    assert lost.reason == "the worker sent nothing for 61 s"


async def test_a_worker_that_hangs_at_its_end_is_not_left_behind(start):
    worker = await start(fake_workers.lingering)
    await worker.hears(WorkerReady)
    first = worker.executor.pid or await eventually(lambda: worker.executor.pid)
    lost = await worker.hears(WorkerLost)

    await eventually(lambda: ended(first))
    assert lost.reason == "the worker process ended with exit code -9"


async def test_commands_to_a_dead_worker_are_dropped(start):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    os.kill(worker.executor.pid, signal.SIGKILL)
    for _ in range(3):
        worker.paint("a")
    await worker.hears(WorkerLost)
    worker.paint("b")
    await worker.hears(WorkerReady, 2)

    assert worker.heard(Painted) == []


async def test_close_ends_the_worker_and_reports_nothing(start):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    pid = worker.executor.pid
    await worker.executor.close()

    assert ended(pid)
    assert worker.executor.pid is None
    assert worker.heard(WorkerLost) == []


async def test_close_kills_a_worker_that_does_not_stop(start):
    worker = await start(fake_workers.deaf)
    await worker.hears(WorkerReady)
    pid = worker.executor.pid
    await worker.executor.close()

    assert ended(pid)


async def test_close_between_two_workers_starts_no_other(start):
    worker = await start(fake_workers.obedient)
    await worker.hears(WorkerReady)
    os.kill(worker.executor.pid, signal.SIGKILL)
    await worker.hears(WorkerLost)
    await worker.executor.close()

    (timer,) = worker.timers
    assert timer.cancelled()
    assert worker.executor.pid is None
