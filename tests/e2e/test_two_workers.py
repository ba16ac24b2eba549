"""Two real workers: the same seed gives the same picture on both, and the death of one loses nothing."""

import os
import signal

import pytest
from helpers.studio import SimulatedServer
from helpers.support import PATIENCE, eventually, make_settings

from pastelbot.config import WorkerOptions
from pastelbot.jobs.executors.worker_group import WorkerGroup, make_workers

pytestmark = pytest.mark.long


@pytest.fixture
async def studio(tmp_path, clock):
    settings = make_settings(tmp_path, worker={"devices": ["cpu", "cpu"], "jobs_at_once": 1})
    workers = make_workers(WorkerOptions.of(settings))
    made = SimulatedServer(settings, clock, WorkerGroup(workers, stall_seconds=PATIENCE))
    made.workers = workers
    await made.open()
    yield made
    await made.close()


async def test_a_worker_dies_while_both_paint_the_same(studio):
    options = {"seed": 7, "steps": 20, "count": 2, "hires": "off"}
    first = await studio.imagine("1girl, smile", **options)
    second = await studio.imagine("1girl, smile", by=studio.kenji, **options)
    await eventually(lambda: all(worker.pid for worker in studio.workers))
    for result in (first, second):
        await studio.says("**Painting**", result.response.id)
    os.kill(studio.workers[1].pid, signal.SIGKILL)
    messages = [await studio.says("-# seed", one.response.id) for one in (first, second)]
    files = [[await each.read() for each in message.attachments] for message in messages]

    assert len(files[0]) == 2
    assert files[0] == files[1]
    assert await studio.charged(studio.hana) == await studio.charged(studio.kenji) == 2
