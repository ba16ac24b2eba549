import signal
from contextlib import contextmanager
from multiprocessing import Pipe
from threading import Semaphore, Thread

import pytest
from helpers.support import PATIENCE

from pastelbot.config import BUNDLED, CheckpointSettings, WorkerOptions, bundled_checkpoint
from pastelbot.errors import LimitError
from pastelbot.jobs import worker
from pastelbot.records import (
    Cancel,
    GenerationRequest,
    Paint,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Progress,
    Stop,
    WorkerLost,
    WorkerReady,
)

REQUEST = GenerationRequest(prompt="1girl", steps=3)


class FakeEngine:
    """Paints each job in as many steps as asked; a job with the prompt "bad" is not taken, "broken" breaks it."""

    def __init__(self):
        self.jobs = {}
        self.cancelled = []
        self.owners = {}

    @property
    def idle(self):
        return not self.jobs

    def admit(self, job_id, request, *, owner):
        self.owners[job_id] = owner
        if request.prompt == "bad":
            raise LimitError("That is too much.")
        self.jobs[job_id] = [0, request]

    def cancel(self, job_id):
        self.cancelled.append(job_id)

    def step(self):
        events = []
        for job_id, (step, request) in list(self.jobs.items()):
            if request.prompt == "broken":
                raise ZeroDivisionError
            self.jobs[job_id][0] = step + 1
            events.append(Progress(job_id=job_id, step=step + 1, steps=request.steps))
            if job_id in self.cancelled:
                events = [PaintingCancelled(job_id=job_id)]
                del self.jobs[job_id]
            elif step + 1 == request.steps:
                events.append(Painted(job_id=job_id, pictures=(), seconds=0.0))
                del self.jobs[job_id]
        return events


@contextmanager
def serving(engine, **options):
    """Serve in a thread; give our end of the pipe and see to it that the worker ends."""
    ours, theirs = Pipe()
    failures = []

    def serve():
        try:
            worker.serve(theirs, engine, **options)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass  # what `main` takes for the end of the bot
        except ZeroDivisionError as error:
            failures.append(error)
        finally:
            theirs.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield ours, failures
    finally:
        ours.close()
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()


def hear_until(connection, kind):
    """Return the events up to the first of a kind."""
    events = []
    while not events or not isinstance(events[-1], kind):
        assert connection.poll(PATIENCE)
        events.append(connection.recv())
    return events


def test_a_job_is_painted_step_by_step():
    with serving(FakeEngine()) as (connection, _):
        connection.send(Paint(job_id="a", request=REQUEST))
        events = hear_until(connection, Painted)

    assert [Progress(job_id="a", step=step, steps=3) for step in (1, 2, 3)] == events[:-1]


def test_memory_is_given_back_once_whenever_there_is_nothing_to_do():
    idle = Semaphore(0)
    with serving(FakeEngine(), on_idle=idle.release, idle_seconds=0.01) as (connection, _):
        assert idle.acquire(timeout=PATIENCE)
        assert not idle.acquire(timeout=0.1)
        connection.send(Paint(job_id="a", request=REQUEST))
        hear_until(connection, Painted)
        assert idle.acquire(timeout=PATIENCE)


def test_no_memory_is_given_back_while_jobs_are_painted():
    idle = Semaphore(0)
    with serving(FakeEngine(), on_idle=idle.release, idle_seconds=PATIENCE) as (connection, _):
        connection.send(Paint(job_id="a", request=REQUEST.replace(steps=100)))
        hear_until(connection, Painted)

    assert not idle.acquire(blocking=False)


def test_jobs_are_painted_together():
    with serving(FakeEngine()) as (connection, _):
        connection.send(Paint(job_id="long", request=REQUEST.replace(steps=10**9)))
        hear_until(connection, Progress)
        connection.send(Paint(job_id="short", request=REQUEST))
        events = hear_until(connection, Painted)

    assert events[-1].job_id == "short"
    assert {"long", "short"} == {event.job_id for event in events}


def test_a_newcomer_reaches_the_engine_between_two_steps_with_its_owner():
    engine = FakeEngine()
    with serving(engine) as (connection, _):
        connection.send(Paint(job_id="large", request=REQUEST.replace(steps=10**9), owner=1))
        hear_until(connection, Progress)
        connection.send(Paint(job_id="small", request=REQUEST, owner=2))
        hear_until(connection, Painted)

    assert engine.owners == {"large": 1, "small": 2}


def test_a_cancelled_job_leaves_between_two_steps():
    with serving(FakeEngine()) as (connection, _):
        connection.send(Paint(job_id="a", request=REQUEST.replace(steps=10**9)))
        hear_until(connection, Progress)
        connection.send(Cancel(job_id="a"))

        assert hear_until(connection, PaintingCancelled)[-1].job_id == "a"


def test_a_job_that_is_not_taken_fails_alone():
    with serving(FakeEngine()) as (connection, _):
        connection.send(Paint(job_id="a", request=REQUEST.replace(prompt="bad")))
        connection.send(Paint(job_id="b", request=REQUEST))
        events = hear_until(connection, Painted)

    assert events[0] == PaintingFailed(job_id="a", reason="That is too much.")
    assert events[-1].job_id == "b"


def test_stop_ends_the_worker_even_in_the_middle_of_a_job():
    with serving(FakeEngine()) as (connection, failures):
        connection.send(Paint(job_id="a", request=REQUEST.replace(steps=10**9)))
        hear_until(connection, Progress)
        connection.send(Stop())
        with pytest.raises(EOFError):
            while True:
                assert connection.poll(PATIENCE)
                connection.recv()

    assert failures == []


def test_an_unexpected_error_ends_the_worker():
    """The state of the device is unknown then: a fresh process is better."""
    with serving(FakeEngine()) as (connection, failures):
        connection.send(Paint(job_id="a", request=REQUEST.replace(prompt="broken")))
        with pytest.raises(EOFError):
            hear_until(connection, Painted)

    assert [type(failure) for failure in failures] == [ZeroDivisionError]


@pytest.fixture
def _same_signals():
    """`main` ignores Ctrl-C in its process; here that is the tests' own."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_same_signals")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "missing/model.safetensors"}, ["missing/model.safetensors"]),
        ({"path": "{folder}"}, ["model_index.json"]),
        ({"path": "{folder}/other.safetensors"}, ["other.safetensors", "a text"]),
        ({"path": "missing/nothing", "offline": True}, ["missing/nothing"]),
        ({"path": "{folder}", "device": "abacus"}, ["'abacus' is unknown"]),
    ],
)
def test_a_checkpoint_that_cannot_be_loaded_is_told_in_one_sentence(tmp_path, options, words):
    (tmp_path / "other.safetensors").write_bytes(b"no tensors")
    changed = {**options, "path": options["path"].format(folder=tmp_path), "cache_dir": tmp_path / "cache"}
    filled = CheckpointSettings().model_copy(update=changed)  # also what the configuration would refuse
    ours, theirs = Pipe()
    worker.main(theirs, WorkerOptions(checkpoint=filled))

    event = ours.recv()
    assert isinstance(event, WorkerLost)
    assert all(word in event.reason for word in words)
    assert "\n" not in event.reason


@pytest.mark.usefixtures("_same_signals")
@pytest.mark.parametrize("bundled", [True, False])
def test_a_cpu_says_how_fast_it_is_to_paint_a_checkpoint_that_is_not_made_for_it(bundled):
    path = BUNDLED if bundled else str(bundled_checkpoint())
    ours, theirs = Pipe()
    ours.send(Stop())
    worker.main(theirs, WorkerOptions(checkpoint=CheckpointSettings(path=path, device="cpu")))

    ready = next(event for event in iter(ours.recv, None) if isinstance(event, WorkerReady))
    assert (ready.flops is None) == bundled


@pytest.mark.usefixtures("_same_signals")
def test_a_bot_that_is_gone_is_no_error(tmp_path):
    ours, theirs = Pipe()
    ours.close()

    worker.main(theirs, WorkerOptions(checkpoint=CheckpointSettings(path=str(tmp_path))))
    with pytest.raises(BrokenPipeError):  # so the worker could not say anything either
        theirs.send(Stop())
