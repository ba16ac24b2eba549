"""A worker that ends while there is nothing to do, and is loaded for the next job."""

import asyncio

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.stages import Stage
from helpers.support import eventually

from pastelbot.config import CheckpointSettings, WorkerOptions, WorkerSettings
from pastelbot.jobs.executors.unloading_executor import UnloadingExecutor
from pastelbot.jobs.executors.worker_group import WorkerGroup, make_workers
from pastelbot.records import (
    Cancel,
    GenerationRequest,
    InLine,
    Load,
    Paint,
    PaintingCancelled,
    Rendered,
    WorkerLost,
    WorkerReady,
    WorkerUnloaded,
)

IDLE = 600
LOAD = 40


class SlowExecutor(FakeExecutor):
    """Ready when the test says so; ends when the test lets it."""

    def __init__(self):
        super().__init__()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.started = False

    def start(self, on_event):
        self._on_event = on_event
        self.started = True

    async def close(self):
        await self.may_end.wait()
        await super().close()


class Idle:
    """An unloading executor whose timer the test fires."""

    def __init__(self):
        self.made, self.events, self.timers = [], [], []
        self.executor = UnloadingExecutor(self.make, idle_seconds=IDLE, later=self.later)

    def make(self):
        self.made.append(SlowExecutor())
        return self.made[-1]

    def later(self, seconds, callback):
        self.timers.append((seconds, callback))
        return asyncio.get_running_loop().call_later(3600, callback)

    def pass_idle_time(self):
        seconds, callback = self.timers.pop()
        assert seconds == IDLE
        callback()

    def start(self):
        self.executor.start(self.events.append)
        self.made[0].ready()

    def paint(self, job_id):
        self.executor.send(Paint(job_id=job_id, request=GenerationRequest(prompt="1girl")))

    def heard(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
async def idle():
    made = Idle()
    yield made
    await made.executor.close()


async def test_the_worker_ends_when_nothing_came_for_that_time(idle):
    idle.start()
    idle.paint("a")
    idle.made[0].finish("a")
    idle.pass_idle_time()

    assert idle.events[-1] == WorkerUnloaded(workers=0)
    await eventually(lambda: idle.made[0].closed)
    assert idle.executor.pid is None


async def test_it_never_ends_with_a_job(idle):
    idle.start()
    _seconds, callback = idle.timers[-1]
    idle.paint("a")
    callback()  # a timer that could not be cancelled any more

    assert idle.heard(WorkerUnloaded) == []
    assert set(idle.made[0].painting) == {"a"}


async def test_load_starts_another_one_once(idle):
    idle.start()
    idle.pass_idle_time()
    await eventually(lambda: idle.made[0].closed)
    idle.executor.send(Load())
    idle.executor.send(Load())
    idle.made[1].ready()
    idle.paint("a")

    assert len(idle.made) == 2
    assert set(idle.made[1].painting) == {"a"}
    assert len(idle.heard(WorkerReady)) == 2


async def test_another_one_starts_when_the_last_one_has_given_its_memory_back(idle):
    idle.start()
    idle.made[0].may_end.clear()
    idle.pass_idle_time()
    idle.executor.send(Load())
    await asyncio.sleep(0)
    assert not idle.made[1].started
    idle.made[0].may_end.set()

    await eventually(lambda: idle.made[1].started)


async def test_a_job_given_out_at_the_moment_of_the_unloading_is_painted(idle):
    idle.start()
    idle.pass_idle_time()
    await eventually(lambda: idle.made[0].closed)
    idle.paint("a")
    idle.paint("b")
    idle.executor.send(Cancel(job_id="b"))
    idle.made[1].ready()

    assert set(idle.made[1].painting) == {"a"}
    assert idle.heard(PaintingCancelled) == [PaintingCancelled(job_id="b")]


async def test_what_was_kept_is_lost_with_the_worker_that_cannot_load(idle):
    """The dispatcher queues it again."""
    idle.start()
    idle.pass_idle_time()
    await eventually(lambda: idle.made[0].closed)
    idle.paint("a")
    idle.made[1].die()
    idle.made[1].ready()

    assert len(idle.heard(WorkerLost)) == 1
    assert idle.made[1].painting == {}


async def test_each_of_several_workers_is_loaded_when_one_more_is_wanted():
    workers, events = [FakeExecutor(), FakeExecutor()], []
    group = WorkerGroup(workers, stall_seconds=60)
    group.start(events.append)
    for worker in workers:
        worker.emit(WorkerUnloaded())
    group.send(Paint(job_id="a", request=GenerationRequest(prompt="1girl")))
    await group.close()

    assert [event.workers for event in events if isinstance(event, WorkerUnloaded)] == [1, 0]
    assert [set(worker.painting) for worker in workers] == [{"a"}, set()]


def test_the_setting_makes_such_workers():
    options = WorkerOptions(checkpoint=CheckpointSettings(), worker=WorkerSettings(unload_minutes=5))

    assert isinstance(make_workers(options)[0], UnloadingExecutor)


class Loads(FakeExecutor):
    """Counts the loads that are asked for; the test says when one is ready."""

    loads = 0

    def send(self, command):
        self.loads += isinstance(command, Load)
        super().send(command)


@pytest.fixture
async def stage(tmp_path, clock):
    async with OneWorker.opened(tmp_path, clock) as made:
        yield made


class OneWorker(Stage):
    """A dispatcher whose worker took 40 s to load, and 20 s for its first picture, and is unloaded now."""

    def make(self, executor=None, notes=None):
        return super().make(executor or Loads(), notes)

    async def unload(self):
        await self.start()
        first = await self.add()
        await self.painting(first)
        self.clock.advance(seconds=20)
        self.executor.finish(first)
        await self.quiet()
        self.executor.die()
        await self.quiet()
        self.clock.advance(seconds=LOAD)
        self.executor.ready()
        await self.quiet()
        self.executor.emit(WorkerUnloaded())
        await self.quiet()


async def test_a_job_waits_for_the_load_and_its_time_contains_it(stage):
    await stage.unload()
    assert stage.dispatcher.state.unloaded
    assert (await stage.dispatcher.overview()).unloaded
    job_id = await stage.add()
    await stage.quiet()

    shown = [update for update in stage.updates if isinstance(update, InLine)][-1]
    assert (shown.ready_at - stage.clock()).total_seconds() == pytest.approx(LOAD + 20, abs=1)
    assert stage.executor.loads == 1
    assert not stage.dispatcher.state.unloaded
    stage.wait(30)
    await stage.quiet()
    assert (stage.dispatcher.place(job_id).ready_at - stage.clock()).total_seconds() == pytest.approx(30, abs=1)
    assert stage.executor.loads == 1
    stage.executor.ready()
    await stage.painting(job_id)


async def test_a_load_that_fails_costs_a_waiting_job_no_attempt(stage):
    await stage.unload()
    job_id = await stage.add()
    await stage.quiet()
    for _ in range(3):
        stage.executor.die()
        await stage.quiet()
    stage.executor.ready()
    await stage.painting(job_id)

    assert (await stage.jobs.get(job_id)).attempts == 0
    stage.executor.finish(job_id)
    await stage.quiet()
    assert job_id in stage.published(Rendered)


async def test_nothing_is_loaded_for_an_empty_queue(stage):
    await stage.unload()
    stage.wait(60)
    await stage.quiet()

    assert stage.executor.loads == 0
