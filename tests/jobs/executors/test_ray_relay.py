"""What stands between the bot and an actor of a Ray cluster; tests/e2e/test_ray.py has the cluster itself."""

import socket
import sys
from dataclasses import replace
from multiprocessing import Pipe
from types import SimpleNamespace

import pytest
from helpers import fake_workers

from pastelbot.config import CheckpointSettings, RaySettings, WorkerOptions, WorkerSettings
from pastelbot.jobs.executors import ray_relay
from pastelbot.jobs.executors.ray_actor import PaintingActor
from pastelbot.jobs.executors.worker_group import make_workers
from pastelbot.records import GenerationRequest, Paint, Painted, Progress, Stop, WorkerLost, WorkerReady

OPTIONS = WorkerOptions(
    checkpoint=CheckpointSettings(path="fake"),
    worker=WorkerSettings(executor="ray"),
    ray=RaySettings(address="auto", actors=3),
)


class RayFailureError(Exception):
    """Stands for Ray's errors."""


class Ray:
    """Stands for the module: an actor is an object here, and its methods answer at once."""

    exceptions = SimpleNamespace(RayError=RayFailureError, RayActorError=RayFailureError)

    def __init__(self, *, version="0.0.1", reachable=True):
        self.version, self.reachable = version, reachable

    def init(self, **_options):
        if not self.reachable:
            raise ConnectionError("no GCS\nand more")

    def remote(self, **_needs):
        about = SimpleNamespace(remote=lambda: self.version)
        return lambda _actor_class: SimpleNamespace(remote=lambda: SimpleNamespace(about=about))

    def get(self, answer):
        return answer


def said(monkeypatch, ray, address="auto"):
    monkeypatch.setitem(sys.modules, "ray", ray)
    ours, theirs = Pipe()
    ray_relay.main(theirs, replace(OPTIONS, ray=RaySettings(address=address)))
    events = []
    while ours.poll():
        events.append(ours.recv())
    return events[-1]


@pytest.mark.parametrize(
    ("ray", "sentence"),
    [
        (None, ray_relay.RAY_MISSING),
        (
            Ray(reachable=False),
            "The Ray cluster at auto cannot be reached: no GCS. Start it, or correct ray.address",
        ),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(monkeypatch, ray, sentence):
    interruption = "⚠️ Painting is interrupted: the machines that paint cannot be reached."
    assert said(monkeypatch, ray) == WorkerLost(reason=sentence, interruption=interruption)


@pytest.mark.parametrize("kind", ["", "ray://"])
def test_a_head_that_is_away_is_said_at_once(monkeypatch, kind):
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        reason = said(monkeypatch, Ray(), f"{kind}127.0.0.1:{port}").reason

    assert reason.startswith(f"The Ray cluster at {kind}127.0.0.1:{port} cannot be reached: ")


def test_an_actor_of_another_version_is_refused(monkeypatch):
    reason = said(monkeypatch, Ray()).reason

    assert reason.startswith("A node of the Ray cluster has Pastelbot 0.0.1, the bot has ")
    assert reason.endswith(": install the same on all")


def heard(actor, kind):
    """Return the events up to the first of a kind."""
    events = []
    while not any(isinstance(event, kind) for event in events):
        events += actor.events()
    return events


def test_the_actor_hands_commands_and_events_through_until_the_worker_stops():
    actor = PaintingActor(fake_workers.obedient)
    actor.begin(OPTIONS)
    assert isinstance(heard(actor, WorkerReady)[0], WorkerReady)
    actor.send(Paint(job_id="a", request=GenerationRequest(prompt="1girl")))
    events = heard(actor, Painted)
    actor.send(Stop())

    assert [type(event) for event in events] == [Progress, Painted]
    with pytest.raises(EOFError):
        while True:
            actor.events()


def test_there_is_a_worker_for_each_actor():
    assert len(make_workers(OPTIONS)) == 3
