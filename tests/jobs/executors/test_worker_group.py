"""Several workers as one: which gets a job, and what the loss of one costs."""

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.stages import Stage
from helpers.support import eventually

from pastelbot.config import CheckpointSettings, WorkerOptions, WorkerSettings
from pastelbot.jobs.executors.worker_group import WorkerGroup, make_workers
from pastelbot.records import (
    Cancel,
    GenerationRequest,
    JobStatus,
    Paint,
    PaintingCancelled,
    Rendered,
    WorkerLost,
    WorkerReady,
)
from pastelbot.rules import cost

STALL = 60


@pytest.fixture
async def group(clock):
    made = Group(clock)
    yield made
    await made.group.close()


class Group:
    """Two workers, what they reported together, and their looks, which the test makes."""

    def __init__(self, clock):
        self.clock, self.events = clock, []
        self.workers = [FakeExecutor(), FakeExecutor()]
        self.group = WorkerGroup(self.workers, stall_seconds=STALL, later=self.later, monotonic=clock.monotonic)

    def later(self, _seconds, callback):
        self.look = callback

    def start(self):
        self.group.start(self.events.append)

    def paint(self, job_id, checkpoint="", prompt="1girl"):
        request = GenerationRequest(prompt=prompt, checkpoint=checkpoint)
        self.group.send(Paint(job_id=job_id, request=request, owner=1))

    @property
    def painting(self):
        return [set(worker.painting) for worker in self.workers]

    def wait(self, seconds):
        for _ in range(seconds // 15):
            self.clock.advance(seconds=15)
            self.look()


def test_jobs_are_shared_out_evenly(group):
    group.start()
    for job_id in "abc":
        group.paint(job_id)

    assert group.painting == [{"a", "c"}, {"b"}]
    group.workers[0].finish("a")
    group.workers[0].finish("c")
    group.paint("d")
    assert group.painting == [{"d"}, {"b"}]


def test_of_two_that_have_as_much_to_do_the_one_with_the_checkpoint_gets_the_job(group):
    group.start()
    group.paint("a", "one")
    group.paint("b", "two")
    group.workers[0].finish("a")
    group.workers[1].finish("b")
    group.paint("c", "two")

    assert group.painting == [set(), {"c"}]


def test_of_two_with_the_checkpoint_the_one_with_the_loras_gets_the_job(group):
    group.start()
    group.paint("a", "one", "1girl <lora:ink:0.5>")
    group.paint("b", "one", "1girl <lora:glow:1> <lora:ink:1>")
    for worker, job_id in zip(group.workers, "ab", strict=True):
        worker.finish(job_id)
    group.paint("c", "one", "solo <lora:ink:1>, <lora:glow:0.3>")

    assert group.painting == [set(), {"c"}]
    group.workers[1].finish("c")
    group.workers[1].emit(WorkerLost(reason="killed"))
    group.workers[1].ready()
    group.paint("d", "one", "1girl")
    assert group.painting == [{"d"}, set()]


def test_a_prompt_that_cannot_be_read_prefers_no_worker(group):
    group.start()
    group.paint("a", prompt="1girl <lora:ink:much>")

    assert group.painting == [{"a"}, set()]


def test_a_job_is_cancelled_where_it_is(group):
    group.start()
    group.paint("a")
    group.paint("b")
    group.group.send(Cancel(job_id="b"))

    assert group.painting == [{"a"}, set()]
    assert group.events[-1] == PaintingCancelled(job_id="b")


def test_the_events_say_how_many_workers_there_are_and_what_is_lost(group):
    group.start()
    group.paint("a")
    group.paint("b")
    group.workers[1].emit(WorkerLost(reason="killed", interruption="Nothing is painted."))
    group.workers[0].emit(WorkerLost(reason="killed too", interruption="Nothing is painted."))
    group.workers[1].ready()

    assert [event.workers for event in group.events if isinstance(event, WorkerReady)] == [1, 2, 1]
    assert [event for event in group.events if isinstance(event, WorkerLost)] == [
        WorkerLost(reason="killed", workers=1, jobs=frozenset({"b"})),
        WorkerLost(reason="killed too", interruption="Nothing is painted."),
    ]


def test_a_silent_worker_is_restarted_though_the_other_one_paints(group):
    group.start()
    group.paint("a")
    group.paint("b")
    for step in range(6):
        group.workers[0].progress("a", step, 20)
        group.wait(15)

    assert group.workers[0].restarts == []
    assert len(group.workers[1].restarts) == 1
    assert "a worker sent nothing for" in group.workers[1].restarts[0]


def test_one_without_jobs_may_be_silent(group):
    group.start()
    group.wait(10 * STALL)

    assert [worker.restarts for worker in group.workers] == [[], []]


def test_there_is_a_worker_for_each_device():
    def devices(*names):
        options = WorkerOptions(checkpoint=CheckpointSettings(device="mps"), worker=WorkerSettings(devices=names))
        return [each.checkpoint.device for each in options.on_devices()]

    assert devices() == ["mps"]
    assert devices("cuda:0", "cuda:1") == ["cuda:0", "cuda:1"]
    with pytest.raises(ValueError, match="'gpu1' is not a device"):
        devices("gpu1")
    options = WorkerOptions(checkpoint=CheckpointSettings(), worker=WorkerSettings(devices=("cpu", "cpu")))
    assert len(make_workers(options)) == 2


@pytest.fixture
async def stage(tmp_path, clock):
    async with TwoWorkers.opened(tmp_path, clock) as made:
        yield made


class TwoWorkers(Stage):
    """A dispatcher with a group of two workers of two slots each."""

    def make(self, executor=None, notes=None):
        self.workers = [FakeExecutor(), FakeExecutor()]
        group = WorkerGroup(self.workers, stall_seconds=STALL, later=self.later, monotonic=self.clock.monotonic)
        return super().make(executor or group, notes)

    async def give(self, *counts):
        """Wait until each worker has so many jobs."""
        await eventually(lambda: [len(worker.painting) for worker in self.workers] == list(counts))

    def finish_all(self):
        for worker in self.workers:
            for job_id in list(worker.painting):
                worker.finish(job_id)


async def test_each_worker_has_its_own_slots(stage):
    await stage.start()
    for user in range(1, 7):
        await stage.add(user)

    await stage.give(2, 2)
    assert stage.dispatcher.state.waiting == 2


async def test_the_loss_of_a_worker_costs_its_jobs_a_new_beginning_and_the_others_nothing(stage):
    await stage.start()
    ids = [await stage.add(user) for user in range(1, 5)]
    await stage.give(2, 2)
    kept, lost = (set(worker.painting) for worker in stage.workers)
    stage.workers[1].die()
    await stage.quiet()
    assert stage.dispatcher.state.ready
    assert set(stage.workers[0].painting) == kept
    assert [await stage.status(job_id) for job_id in sorted(lost)] == [JobStatus.QUEUED] * 2
    stage.workers[1].ready()
    for _round in range(3):  # those that may have killed their worker are painted one by one
        stage.finish_all()
        await stage.quiet()

    assert set(stage.published(Rendered)) == set(ids)


async def test_without_any_worker_nothing_is_given_out(stage):
    await stage.start()
    for worker in stage.workers:
        worker.die()
    await stage.add()
    await stage.quiet()

    assert not stage.dispatcher.state.ready
    assert [worker.painting for worker in stage.workers] == [{}, {}]


async def test_times_count_the_workers_that_have_something_to_do(stage):
    """Each does two pictures in 40 s, so one takes 20 s, and the fifth waits for the four before it."""
    work = cost.work(GenerationRequest(prompt="1girl"))
    await stage.start()
    for user in range(1, 5):
        await stage.add(user)
    await stage.give(2, 2)
    stage.clock.advance(seconds=40)
    stage.finish_all()
    await stage.quiet()
    ids = [await stage.add(user) for user in range(1, 6)]
    await stage.give(2, 2)
    place = stage.dispatcher.place(ids[-1])

    alone = stage.dispatcher.seconds_for(work)
    assert alone == pytest.approx(20, rel=0.2)  # later jobs count more
    assert 2.4 <= (place.ready_at - stage.clock()).total_seconds() / alone <= 3
