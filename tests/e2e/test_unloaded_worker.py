"""A real worker process that is ended while nothing is to be painted, in a bot of its own."""

import asyncio
from functools import partial

import pytest
from helpers.painting import painted, shown_pixels
from helpers.studio import SimulatedServer
from helpers.support import ended, eventually, make_settings

from pastelbot import config
from pastelbot.config import WorkerOptions
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.jobs.executors.unloading_executor import UnloadingExecutor

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (config.bundled_checkpoint() / "model_index.json").is_file(), reason="the bundled checkpoint is not there"
    ),
]


async def test_a_worker_that_was_unloaded_paints_the_same_picture(tmp_path, clock):
    """The timer is fired by hand; the process ends, so all of its memory is given back."""
    timers = []
    settings = make_settings(tmp_path)
    executor = UnloadingExecutor(
        partial(ProcessExecutor, WorkerOptions.of(settings)),
        idle_seconds=60,
        later=lambda _seconds, callback: (
            timers.append(callback) or asyncio.get_running_loop().call_later(3600, callback)
        ),
    )
    studio = SimulatedServer(settings, clock, executor)
    await studio.open()
    first = await painted(studio, await studio.imagine("1girl", seed=7, steps=4, hires="off"))
    worker = executor.pid
    timers[-1]()
    await eventually(lambda: ended(worker))
    assert executor.pid is None
    second = await painted(studio, await studio.imagine("1girl", seed=7, steps=4, hires="off"))
    await studio.close()

    assert shown_pixels(first) == shown_pixels(second)
