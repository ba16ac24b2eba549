"""A child ends with the bot, however it hangs: a stopped one too, where the kernel can do it."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import fake_workers
from helpers.support import ended, eventually

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stopped process with its parent")

EXECUTOR = """
import asyncio
from helpers import fake_workers
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.config import CheckpointSettings, WorkerOptions

async def main():
    executor = ProcessExecutor(WorkerOptions(checkpoint=CheckpointSettings(path="fake")), target=fake_workers.{worker})
    executor.start(lambda event: print(executor.pid, flush=True))
    await asyncio.sleep(3600)

asyncio.run(main())
"""

TAGGER = """
import asyncio
from pathlib import Path
from helpers import fake_taggers
from helpers.small_tagger import options_of
from pastelbot.jobs.tagger.tagger_process import TaggerProcess

async def main():
    tagger = TaggerProcess(options_of(Path("nowhere")), target=fake_taggers.obedient)
    await tagger.describe(b"general")
    print(tagger.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""

THREAD = """
import multiprocessing, time
from helpers import fake_workers

child = multiprocessing.get_context("spawn").Process(target=fake_workers.watching_its_parent)
child.start()
time.sleep(3600)
"""


@pytest.fixture
async def child_of():
    """Start a program that prints its child's process id; return it and that number. Nothing is left behind."""
    started, children = [], []

    async def child_of(program):
        paths = [str(Path(fake_workers.__file__).parents[1]), *sys.path]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=environment
        )
        started.append(parent)
        lines = (line async for line in parent.stdout if line.strip().isdigit())  # the others are the log
        children.append(int(await anext(lines)))
        assert not ended(children[-1])
        return parent, children[-1]

    yield child_of
    for parent in started:
        with suppress(ProcessLookupError):
            parent.kill()
        await parent.wait()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    "program", [EXECUTOR.format(worker="obedient"), EXECUTOR.format(worker="deaf"), TAGGER, THREAD]
)
async def test_a_child_does_not_outlive_a_killed_bot(child_of, program):
    parent, child = await child_of(program)
    parent.kill()
    await parent.wait()

    await eventually(lambda: ended(child))


@LINUX_ONLY
@pytest.mark.parametrize("program", [EXECUTOR.format(worker="obedient"), TAGGER])
async def test_a_stopped_child_does_not_outlive_a_killed_bot(child_of, program):
    parent, child = await child_of(program)
    os.kill(child, signal.SIGSTOP)
    parent.kill()
    await parent.wait()

    await eventually(lambda: ended(child))
