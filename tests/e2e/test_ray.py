"""A Ray cluster of this machine that paints: two actors with a processor each."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from helpers.ray_actors import ObedientActor, OlderActor
from helpers.studio import SimulatedServer
from helpers.support import eventually, make_settings

from pastelbot.config import CheckpointSettings, RaySettings, WorkerOptions, WorkerSettings
from pastelbot.jobs.executors import ray_relay
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.jobs.executors.worker_group import WorkerGroup, make_workers
from pastelbot.records import Cancel, GenerationRequest, Paint, Painted, PaintingCancelled, WorkerLost, WorkerReady

pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = pytest.mark.long

SECONDS = 300
ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run a cluster with two processors; return its address. PASTELBOT_TEST_RAY is that of one that runs already."""
    if "PASTELBOT_TEST_RAY" in os.environ:
        yield os.environ["PASTELBOT_TEST_RAY"]
        return
    port = free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=2", "--num-gpus=0", "--include-dashboard=false", "--disable-usage-stats"]
    command += [f"--temp-dir={tmp_path_factory.mktemp('r')}", "--object-store-memory=100000000"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    environment |= {"RAY_agent_register_timeout_ms": "300000"}  # a busy machine takes longer than Ray's 30 s
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and not listens(port) and time.monotonic() < deadline:
        time.sleep(0.2)
    yield f"127.0.0.1:{port}"
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def options_at(address, **worker):
    return WorkerOptions(
        checkpoint=CheckpointSettings(path="fake"),
        worker=WorkerSettings(executor="ray", **worker),
        ray=RaySettings(address=address, actors=2, gpus=0),
    )


@pytest.fixture
async def relay():
    """Return a function that starts an executor with a kind of actor, and gives what it reports."""
    started = []

    async def start(address, actor_class):
        events = []
        target = partial(ray_relay.main, actor_class=actor_class)
        executor = ProcessExecutor(options_at(address), target=target, first_pause=0.1)
        started.append(executor)
        executor.start(events.append)
        return executor, events

    yield start
    for executor in started:
        await executor.close()


def heard(events, kind):
    return [event for event in events if isinstance(event, kind)]


def paint(job_id, prompt="1girl"):
    return Paint(job_id=job_id, request=GenerationRequest(prompt=prompt))


async def test_an_actor_paints_cancels_and_comes_back(cluster, relay):
    executor, events = await relay(cluster, ObedientActor)
    await eventually(lambda: heard(events, WorkerReady), seconds=SECONDS)
    executor.send(paint("a"))
    executor.send(paint("b", "slow"))
    executor.send(Cancel(job_id="b"))
    await eventually(lambda: heard(events, PaintingCancelled), seconds=SECONDS)
    assert [event.job_id for event in heard(events, Painted)] == ["a"]
    executor.send(paint("c", "poison"))
    await eventually(lambda: len(heard(events, WorkerReady)) == 2, seconds=SECONDS)

    assert "An actor of the Ray cluster has ended" in heard(events, WorkerLost)[0].reason


async def test_an_actor_of_another_version_is_refused_in_a_sentence(cluster, relay):
    _executor, events = await relay(cluster, OlderActor)
    version = "A node of the Ray cluster has Pastelbot 0.0.1, the bot has "

    assert await eventually(
        lambda: any(lost.reason.startswith(version) for lost in heard(events, WorkerLost)), seconds=SECONDS
    )


async def test_a_cluster_that_is_away_is_a_sentence(relay):
    _executor, events = await relay(f"127.0.0.1:{free_port()}", ObedientActor)
    lost = await eventually(lambda: heard(events, WorkerLost), seconds=SECONDS)

    assert "cannot be reached" in lost[0].reason


def actors():
    """Return the process ids of the cluster's actors that paint."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(b"ray::PaintingActor"):
                found.append(int(folder.name))
    return found


@pytest.fixture
async def studio(tmp_path, clock, cluster):
    ray = {"address": cluster, "actors": 2, "gpus": 0}
    settings = make_settings(tmp_path, worker={"executor": "ray", "jobs_at_once": 1}, ray=ray)
    made = SimulatedServer(
        settings, clock, WorkerGroup(make_workers(WorkerOptions.of(settings)), stall_seconds=SECONDS)
    )
    await made.open()
    yield made
    await made.close()


async def test_an_actor_dies_while_both_paint_the_same(studio):
    options = {"seed": 7, "steps": 20, "count": 2, "hires": "off"}
    first = await studio.imagine("1girl, smile", **options)
    second = await studio.imagine("1girl, smile", by=studio.kenji, **options)
    for result in (first, second):
        await studio.says("**Painting**", result.response.id, seconds=SECONDS)
    os.kill(actors()[0], signal.SIGKILL)
    messages = [await studio.says("-# seed", one.response.id, seconds=SECONDS) for one in (first, second)]
    files = [[await each.read() for each in message.attachments] for message in messages]

    assert len(files[0]) == 2
    assert files[0] == files[1]
    assert await studio.charged(studio.hana) == await studio.charged(studio.kenji) == 2
    assert "ray" not in sys.modules or not sys.modules["ray"].is_initialized()
    await asyncio.sleep(0)
