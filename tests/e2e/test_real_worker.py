"""The whole bot with a real worker process and the bundled checkpoint; only Discord is simulated."""

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

import pytest
import pytest_asyncio
import sd_parsers
from helpers.painting import painted, shown_pixels
from helpers.studio import SimulatedServer
from helpers.support import Clock, ended, make_settings

from pastelbot import config
from pastelbot.config import WorkerOptions
from pastelbot.jobs.executors.process_executor import ProcessExecutor

pytestmark = [
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not (config.bundled_checkpoint() / "model_index.json").is_file(), reason="the bundled checkpoint is not there"
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory):
    """One bot for all tests: a worker takes seconds to start."""
    settings = make_settings(tmp_path_factory.mktemp("bot"))
    made = SimulatedServer(settings, Clock(), ProcessExecutor(WorkerOptions.of(settings)))
    await made.open()
    yield made
    await made.close()


async def test_imagine_gives_a_picture_with_its_settings_and_the_same_again(studio):
    options = {"seed": 7, "steps": 6, "negative": "lowres"}
    first = await painted(studio, await studio.imagine("1girl, red hair, smile", hires="off", **options))
    second = await painted(studio, await studio.imagine("1girl, red hair, smile", hires="off", **options))
    other = await painted(studio, await studio.imagine("1girl, red hair, smile", hires="off", **options | {"seed": 8}))
    large = await painted(studio, await studio.imagine("1girl, red hair, smile", hires="on", **options))

    assert shown_pixels(first) == shown_pixels(second)
    assert shown_pixels(first) != shown_pixels(other)
    assert (128, 128) == shown_pixels(first)[0]
    assert (256, 256) == shown_pixels(large)[0]
    read = sd_parsers.ParserManager().parse(io.BytesIO(first))
    assert ["1girl, red hair, smile"] == [prompt.value for prompt in read.prompts]
    assert ["lowres"] == [prompt.value for prompt in read.negative_prompts]
    (sampler,) = read.samplers
    assert ("7", "6") == (sampler.parameters["seed"], sampler.parameters["steps"])


async def test_a_worker_killed_in_the_middle_of_a_job_costs_time_and_nothing_else(studio):
    before, charged = len(studio.messages), await studio.charged(studio.hana)
    result = await studio.imagine("1girl", seed=7, steps=16, count=2, hires="off")
    await studio.says("**Painting**", result.response.id)
    first = studio.executor.pid
    os.kill(first, signal.SIGKILL)
    await painted(studio, result)

    assert ended(first)
    assert len(studio.message(result.response.id).attachments) == 2
    assert len(studio.messages) == before + 1
    assert await studio.charged(studio.hana) == charged + 2


TORCHLESS = """
import asyncio, sys
from pathlib import Path
from helpers.fake_workers import drawing
from helpers.studio import SimulatedServer
from helpers.support import Clock, make_settings
from pastelbot.config import WorkerOptions
from pastelbot.jobs.executors.process_executor import ProcessExecutor

async def main():
    settings = make_settings(Path(sys.argv[1]))
    studio = SimulatedServer(settings, Clock(), ProcessExecutor(WorkerOptions.of(settings), target=drawing))
    await studio.open()
    await studio.imagine("1girl", steps=2, hires="off")
    await studio.says("-# seed", seconds=300)
    print("loaded:", *sorted({"torch", "diffusers", "transformers", "safetensors"} & set(sys.modules)))
    await studio.close()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_the_bot_paints_and_loads_no_torch(tmp_path):
    """In a process of its own: other tests load torch into this one. The worker, another process, only pretends."""
    tests = Path(__file__).parent.parent
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        TORCHLESS,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(tests)},
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert output.decode().splitlines()[-1].strip() == "loaded:"
