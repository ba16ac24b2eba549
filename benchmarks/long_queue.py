"""Time a queue of ten thousand jobs: joining it, dispatching from it, and starting with it.

    .venv/bin/python benchmarks/long_queue.py [--jobs 10000] [--people 2000] [--rounds 1000]

Everything is real except the worker: the service, the database on disk, the dispatcher. Times are those that a user
waits for, with everything that the event loop does in between; on a busy machine, processor time is more meaningful.
"""

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog

from pastelbot import app, config
from pastelbot.records import (
    Actor,
    Command,
    Event,
    GenerationRequest,
    JobOptions,
    Paint,
    Painted,
    Picture,
    ReplyTarget,
    WorkerReady,
)
from pastelbot.service.services import Services
from pastelbot.store.jobs.store import JobStore

PROMPT = "mksks style, 1girl, red hair, smile, pink background, " + ", ".join(f"tag {number}" for number in range(60))
REQUEST = GenerationRequest(prompt=PROMPT, negative_prompt=config.Settings().defaults.negative_prompt)
GUILD = 1


class Spent(NamedTuple):
    """What something took: seconds that passed, and seconds of processor time of all threads."""

    seconds: float
    busy: float


class Clerk:
    """An executor without a worker, which notes when it was handed a job and paints one when `finish` is called."""

    def __init__(self) -> None:
        self.painting: dict[str, GenerationRequest] = {}
        self.handed: dict[str, float] = {}
        self.given = asyncio.Event()
        self._on_event: Callable[[Event], None] = lambda _event: None

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Be ready at once."""
        self._on_event = on_event
        on_event(WorkerReady(device="none", checkpoint="none", checkpoint_hash="0000000000"))

    def send(self, command: Command) -> None:
        """Take a job in."""
        if isinstance(command, Paint):
            self.painting[command.job_id] = command.request
            self.handed[command.job_id] = time.perf_counter()
            self.given.set()

    def restart(self, reason: str) -> None:
        """Refuse: no worker is there that could hang."""
        raise AssertionError(reason)

    async def close(self) -> None:
        """Have nothing to end."""

    def finish(self, job_id: str) -> None:
        """Paint the job's one picture."""
        seed = self.painting.pop(job_id).seed
        picture = Picture(png=job_id.encode(), seed=seed, width=1, height=1, infotext="")
        self._on_event(Painted(job_id=job_id, pictures=(picture,), seconds=0.1))


class Bench:
    """The bot without Discord."""

    def __init__(self, services: Services, clerk: Clerk) -> None:
        self.clerk = clerk
        self.database = services.database
        self.jobs = JobStore(services.database)
        self.dispatcher = services.dispatcher
        self.checker = services.checker
        self.service = services.jobs

    @classmethod
    async def open(cls, settings: config.Settings) -> "Bench":
        """Open the database and all that stands on it."""
        clerk = Clerk()
        return cls(await app.open_services(settings, executor=clerk), clerk)

    async def submit(self, user_id: int) -> Spent:
        """Queue a job; return what it took."""
        start, busy = time.perf_counter(), time.process_time()
        request = REQUEST.replace(prompt=f"{PROMPT}, number {start}", seed=user_id)  # each user's is different
        actor = Actor(user_id=user_id, guild_id=GUILD, role_ids=(5, 6))
        await self.service.submit(await self.checker.check(actor, [request], JobOptions()), [reply()])
        return Spent(time.perf_counter() - start, time.process_time() - busy)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def reply() -> ReplyTarget:
    """Return where the picture would go."""
    return ReplyTarget(channel_id=2, guild_id=GUILD, message_id=3)


async def run(folder: Path, jobs: int, people: int, rounds: int, durability: str) -> None:
    """Measure, and print."""
    settings = config.Settings.model_validate(
        {
            "storage": {"database": folder / "bot.sqlite3", "pictures": folder / "pictures", "durability": durability},
            "limits": {"waiting_per_user": max(5, jobs // people + rounds)},
        }
    )
    bench = await Bench.open(settings)
    for number in range(jobs):
        await bench.jobs.insert(number % people, [(REQUEST, reply())], now=now())

    start = time.perf_counter()
    bench = await Bench.open(settings)
    await bench.dispatcher.start(lambda _update: None)
    await bench.clerk.given.wait()
    print(f"start-up with {jobs:,} jobs, to the first job given out: {time.perf_counter() - start:.2f} s")
    await asyncio.sleep(1)  # the first look at the whole line
    gc.freeze()  # as `pastelbot run` does

    show("submit", [await bench.submit(people + number) for number in range(rounds)])
    show("submit, by people who wait already", [await bench.submit(number % people) for number in range(rounds)])
    show("give out, from a finished picture to the next job", [await give_out(bench) for _ in range(rounds)])
    print(f"in line at the end: {(await bench.dispatcher.overview()).waiting:,}")
    await bench.dispatcher.close()


async def give_out(bench: Bench) -> Spent:
    """Finish a job; return what it took until the next one is handed to the worker."""
    clerk = bench.clerk
    while len(clerk.painting) < 4:  # noqa: ASYNC110 - the worker has no event for this
        await asyncio.sleep(0.001)
    clerk.given.clear()
    start, busy = time.perf_counter(), time.process_time()
    clerk.finish(next(iter(clerk.painting)))
    await clerk.given.wait()
    return Spent(max(clerk.handed.values()) - start, time.process_time() - busy)


def show(name: str, spent: list[Spent]) -> None:
    """Print the median and the 99th percentile in milliseconds."""
    seconds, busy = ([getattr(one, field) * 1e3 for one in spent] for field in Spent._fields)
    print(
        f"{name}: p50 {statistics.median(seconds):.2f} ms, p99 {statistics.quantiles(seconds, n=100)[98]:.2f} ms; "
        f"of processor time: p50 {statistics.median(busy):.2f} ms, p99 {statistics.quantiles(busy, n=100)[98]:.2f} ms"
    )


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--durability", choices=("full", "relaxed"), default="full")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), options.jobs, options.people, options.rounds, options.durability))


if __name__ == "__main__":
    main()
