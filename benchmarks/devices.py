"""Compare one worker with several: pictures a second of the real queue, with workers that take 0.1 s for each job.

    .venv/bin/python benchmarks/devices.py [--devices 2] [--jobs 100] [--ray ADDRESS]

Dispatcher, database on disk and worker processes are real; the work is a sleep, so that what is measured is how well
the queue keeps several devices busy, not the machine's own processors. With `--ray` the workers are actors of a
cluster.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.fake_workers import steady
from helpers.ray_actors import SteadyActor

from pastelbot.config import CheckpointSettings, RaySettings, WorkerOptions
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.executors import ray_relay
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.jobs.executors.worker_group import WorkerGroup
from pastelbot.records import GenerationRequest, Rendered, ReplyTarget, Update
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

USERS = 20


def make_worker(ray: str | None) -> ProcessExecutor:
    """Return a worker of this machine, or one of a cluster."""
    options = WorkerOptions(checkpoint=CheckpointSettings(path="stub"))
    if ray is None:
        return ProcessExecutor(options, target=steady)
    options = replace(options, ray=RaySettings(address=ray, gpus=0))
    return ProcessExecutor(options, target=partial(ray_relay.main, actor_class=SteadyActor))


async def measure(folder: Path, devices: int, jobs: int, ray: str | None) -> float:
    """Return the pictures a second of so many devices, from the first that is painted to the last."""
    database = await Database.open(folder / f"{devices}.sqlite3")
    store = JobStore(database)
    workers = [make_worker(ray) for _ in range(devices)]
    dispatcher = Dispatcher(
        store,
        WorkerGroup(workers, stall_seconds=60),
        PictureFiles(folder / f"pictures {devices}", database),
        at_once=2,
        stall_seconds=60,
        clock=lambda: datetime.now(UTC),
    )
    times: list[float] = []
    done = asyncio.Event()

    def count(update: Update) -> None:
        if isinstance(update, Rendered):
            times.append(time.perf_counter())
            if len(times) == jobs:
                done.set()

    request = GenerationRequest(prompt="1girl")
    for number in range(jobs):
        await store.insert(1 + number % USERS, [(request, ReplyTarget(channel_id=1))], now=datetime.now(UTC))
    await dispatcher.start(count)
    await done.wait()
    await dispatcher.close()
    await database.close()
    first = 2 * devices  # workers start at different moments
    return (jobs - first) / (times[-1] - times[first - 1])


async def compare(devices: int, jobs: int, ray: str | None) -> None:
    """Print what one worker and several paint in a second, and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        one = await measure(Path(folder), 1, jobs, ray)
        several = await measure(Path(folder), devices, jobs, ray)
    print(f"1 worker: {one:.1f} jobs/s; {devices} workers: {several:.1f} jobs/s; ratio {several / one:.2f}")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--ray", help="the address of a cluster")
    parser.add_argument("--jobs", type=int, default=100)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(compare(options.devices, options.jobs, options.ray))


if __name__ == "__main__":
    main()
