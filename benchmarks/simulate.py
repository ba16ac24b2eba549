"""Simulate a day of many users on many GPUs: how long they wait, how fair that is, and what a picture costs.

    .venv/bin/python benchmarks/simulate.py [--load 10:30000 ...] [--sample 10] [--plots docs/images]
    .venv/bin/python benchmarks/simulate.py --limits

Queue, scheduler, quota and throughput are the bot's own; users and GPUs are numbers. Users come at random, three times
as many at the daily peak as in the night, a few of them much more often than most, and ask for one to four pictures of
mixed sizes. A GPU shares its work among its jobs. Systems of more GPUs than `--sample` are represented by a part of
them with as many users a GPU, which waits longer than the whole would, as it has less to balance with.

`--limits` measures one bot process: what it can give out and record a second with its database on disk, and what a
decision costs among the slots of many GPUs.
"""

import argparse
import asyncio
import heapq
import itertools
import math
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from pastelbot import config
from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.positions import Ahead, QueuePositions
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.records import GenerationRequest, HiresFix, Picture, ReplyTarget
from pastelbot.rules import cost
from pastelbot.store.database import Database
from pastelbot.store.jobs.rows import QueuedJob
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.quotas import Allowance, Balance, refilled

START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0
HOUR = 3_600.0
AT_ONCE = 4
CARD = GenerationRequest(prompt="card", hires=HiresFix(width=960, height=1280, steps=20))
SIZES = ((0.6, CARD), (0.3, GenerationRequest(prompt="plain")), (0.1, CARD.replace(count=4)))
CARD_SECONDS = 6.0  # of a card's picture alone on a GPU
SPEED = cost.work(CARD) / CARD_SECONDS  # work a second of a GPU
VISITS = 1.0  # of a user a day, on average
QUOTA = Allowance(per_day=int(config.Settings().quota.work_per_day * 1e6), saved=3 * int(3000e6))
LOADS = ("1:1000", "1:5000", "10:50000", "10:60000", "100:500000", "300:1000000", "1000:1000000")
PROMISES = 25  # every so many jobs the shown time is compared with what came


@dataclass(kw_only=True)
class Gpu:
    """A GPU: its jobs share its work evenly; `since` is when their work was last counted."""

    number: int
    flows: list[RunningWork] = field(default_factory=list)
    since: float = 0.0
    version: int = 0  # of what was planned for it


@dataclass(kw_only=True)
class Waited:
    """What became of one job: seconds, and the hour of the day at which it came."""

    user: int
    pictures: int
    hour: int
    waited: float
    took: float


@dataclass(kw_only=True)
class Result:
    """What a day gave."""

    jobs: list[Waited] = field(default_factory=list)
    refused: int = 0  # by the quota
    busy: float = 0.0  # GPU-seconds
    promises: list[float] = field(default_factory=list)  # how wrong each was, as a share of how long it took
    fairness: list[float] = field(default_factory=list)  # Jain's index of each hour with a queue

    @property
    def pictures(self) -> int:
        """Return how many pictures were painted."""
        return sum(job.pictures for job in self.jobs)


def arrivals(seed: int, users: int) -> Iterator[tuple[float, int, GenerationRequest]]:
    """Yield when who asks for what: visits of one to four requests, most of them at 20:00, fewest at 8:00."""
    chance, at, following = random.Random(seed), 0.0, list[tuple[float, int, GenerationRequest]]()
    most = users * VISITS / DAY * 1.5
    while at < DAY:
        at += chance.expovariate(most)
        rate = 1 + 0.5 * math.cos((at / HOUR - 20) / 24 * math.tau)
        while following and following[0][0] <= at:
            yield (*heapq.heappop(following)[:2], _size(chance))
        if chance.random() > rate / 1.5:
            continue
        user = int(users * chance.random() ** 2)  # half of the visits are those of a quarter of the users
        yield at, user, _size(chance)
        for again in range(chance.choice((0, 0, 1, 3))):
            heapq.heappush(following, (at + (again + 1) * chance.uniform(5, 40), user, CARD))


def _size(chance: random.Random) -> GenerationRequest:
    return chance.choices([request for _share, request in SIZES], [share for share, _request in SIZES])[0]


class Day:
    """One day of a queue and its GPUs."""

    def __init__(self, *, gpus: int, users: int, seed: int = 0) -> None:
        self.result = Result()
        self.now = 0.0
        self._arrivals = arrivals(seed, users)
        self._gpus = [Gpu(number=number) for number in range(gpus)]
        self._slots = gpus * AT_ONCE
        self._queue = WaitQueue(epoch=START)
        self._throughput = Throughput()
        self._positions = QueuePositions(self._queue, self._throughput, at_once=AT_ONCE)
        self._balances: dict[int, Balance] = {}
        self._waiting: dict[str, tuple[float, float | None]] = {}  # when it came, and what was promised
        self._came: dict[str, tuple[float, float, float | None, int]] = {}
        self._plan: list[tuple[float, int, int]] = []  # when, which GPU, the version of its plan
        self._numbers = itertools.count()
        self._contending: set[int] = set()
        self._served: defaultdict[int, float] = defaultdict(float)
        self._hour = 0

    def run(self) -> Result:
        """Let the day pass."""
        coming = next(self._arrivals, None)
        while coming is not None or self._plan:
            if coming is not None and (not self._plan or coming[0] <= self._plan[0][0]):
                self._pass(coming[0])
                self._arrive(coming[1], coming[2])
                coming = next(self._arrivals, None)
            else:
                at, number, version = heapq.heappop(self._plan)
                if version == self._gpus[number].version:
                    self._pass(at)
                    self._finish(self._gpus[number])
        return self.result

    def _pass(self, at: float) -> None:
        """Let time pass, and look at the fairness of each full hour."""
        self.now = max(self.now, at)
        while self.now >= (self._hour + 1) * HOUR:
            self._hour += 1
            contending = {job.user_id for job in self._queue}
            self._note_fairness(self._contending & contending)
            self._contending = contending
            self._served.clear()

    def _note_fairness(self, users: set[int]) -> None:
        """Note Jain's index of the turns of those who waited at both ends of an hour, where they had two on average."""
        turns = [self._served[user] for user in users]
        if len(turns) > 1 and sum(turns) >= 2 * len(turns):
            self.result.fairness.append(sum(turns) ** 2 / (len(turns) * sum(turn * turn for turn in turns)))

    def _arrive(self, user: int, request: GenerationRequest) -> None:
        work, day = cost.work(request), int(self.now // DAY)
        balance = refilled(self._balances.get(user), day, QUOTA)
        if balance.left < work:
            self.result.refused += 1
            return
        self._balances[user] = replace(balance, rest=balance.rest - work)
        job = QueuedJob(
            id=str(next(self._numbers)), user_id=user, created_at=START + self.now, work=work, count=request.count
        )
        self._queue.add(job)
        self._waiting[job.id] = (self.now, self._promise(job))
        self._dispatch()

    def _promise(self, job: QueuedJob) -> float | None:
        """Return when the job was said to be ready, of a few that wait."""
        if int(job.id) % PROMISES:
            return None
        place = self._positions.mark_shown(job.id, self._ahead(), datetime.fromtimestamp(START + self.now, UTC))
        self._positions.forget(job.id)
        return None if place is None or place.ready_at is None else place.ready_at.timestamp() - START

    def _running(self) -> list[RunningWork]:
        for gpu in self._gpus:
            self._advance(gpu)
        return [flow for gpu in self._gpus for flow in gpu.flows]

    def _ahead(self) -> Ahead:
        return Ahead(running=tuple(self._running()), workers=len(self._gpus))

    def _dispatch(self) -> None:
        """Give out what the scheduler admits, each to the GPU with the fewest jobs."""
        while len(self._queue):
            running = [flow for gpu in self._gpus for flow in gpu.flows]
            if len(running) >= self._slots:
                running = self._running()
            others = self._queue.first_of_others({flow.owner for flow in running}, self._slots)
            chosen = scheduler.admit(self._queue.head(self._slots), others, running, at_once=self._slots)
            if not chosen:
                return
            for job in chosen:
                self._give(job)

    def _give(self, job: QueuedJob) -> None:
        self._queue.take(job.id, START + self.now)
        self._positions.forget(job.id)
        came, promised = self._waiting.pop(job.id)
        gpu = min(self._gpus, key=lambda one: len(one.flows))
        self._advance(gpu)
        gpu.flows.append(RunningWork(job=job, work_left=float(job.work)))
        self._came[job.id] = (came, self.now, promised, len(self._queue))
        self._plan_for(gpu)

    def _advance(self, gpu: Gpu) -> None:
        """Count what a GPU did until now."""
        seconds, gpu.since = self.now - gpu.since, self.now
        if not gpu.flows or seconds <= 0:
            return
        self.result.busy += seconds
        self._throughput.busy(seconds)
        each = seconds * SPEED / len(gpu.flows)
        for flow in gpu.flows:
            flow.work_left = max(0.0, flow.work_left - each)
            self._throughput.worked(each)

    def _plan_for(self, gpu: Gpu) -> None:
        gpu.version += 1
        if gpu.flows:
            least = min(flow.work_left for flow in gpu.flows)
            heapq.heappush(self._plan, (self.now + least * len(gpu.flows) / SPEED, gpu.number, gpu.version))

    def _finish(self, gpu: Gpu) -> None:
        self._advance(gpu)
        done = [flow for flow in gpu.flows if flow.work_left < 1.0]
        gpu.flows = [flow for flow in gpu.flows if flow.work_left >= 1.0]
        for flow in done:
            self._note(flow.job)
            self._queue.finished(flow.job.id)
            self._throughput.done(0)
        self._plan_for(gpu)
        self._dispatch()

    def _note(self, job: QueuedJob) -> None:
        came, began, promised, _behind = self._came.pop(job.id)
        took = self.now - came
        self._served[job.user_id] += scheduler.turns(job.work, job.count, cost.work(CARD))
        hour = int(came // HOUR) % 24
        waited = Waited(user=job.user_id, pictures=job.count, hour=hour, waited=began - came, took=took)
        self.result.jobs.append(waited)
        if promised is not None and began > came:
            self.result.promises.append(abs(promised - self.now) / max(took, 10.0))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share lies; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def row(gpus: int, users: int, result: Result, *, simulated: int, price: float) -> str:
    """Return a row of the table; `price` is that of a GPU's hour."""
    waits, part = [job.waited for job in result.jobs], simulated / gpus
    load = result.busy / (simulated * DAY)
    fair = f"{statistics.mean(result.fairness):.2f}" if result.fairness else "-"
    wrong = f"{percentile(result.promises, 0.5):.0%}" if result.promises else "-"
    each = simulated * 24 * price / max(1, result.pictures)
    seconds = " | ".join(f"{percentile(waits, share):,.0f}" for share in (0.5, 0.9, 0.99))
    return (
        f"| {gpus:,} | {users:,} | {simulated:,} | {result.pictures / part:,.0f} | {load:.0%} | {seconds} | {fair} | "
        f"{wrong} | {100 * each:.3f} |"
    )


def plot(results: dict[str, Result]) -> str:
    """Return an SVG of the 90th percentile of the waits by the hour of the day, a line for each result."""
    colours = ("#3b6ea8", "#c2571a", "#3f8f4f", "#8a5aa8", "#777777")
    by_hour = {name: [_wait_at(result, hour) for hour in range(24)] for name, result in results.items()}
    most = max(10.0, *(max(line) for line in by_hour.values()))
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 330" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="720" height="330" fill="white"/>')
    for share in (0, 0.5, 1):
        y = 280 - 240 * share
        parts.append(
            f'<path d="M60 {y:.0f}H560" stroke="#ddd"/><text x="8" y="{y + 4:.0f}">{most * share:,.0f} s</text>'
        )
    parts += [f'<text x="{60 + hour * 21:.0f}" y="300">{hour}</text>' for hour in range(0, 24, 4)]
    parts.append('<text x="60" y="322">hour of the day; 90 % of the jobs that came in it waited at most so long</text>')
    for number, ((name, line), colour) in enumerate(zip(by_hour.items(), itertools.cycle(colours), strict=False)):
        points = " ".join(f"{60 + hour * 21},{280 - 240 * wait / most:.1f}" for hour, wait in enumerate(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="572" y="{50 + 20 * number}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _wait_at(result: Result, hour: int) -> float:
    return percentile([job.waited for job in result.jobs if job.hour == hour], 0.9)


def simulate(loads: Sequence[tuple[int, int]], *, sample: int, price: float, plots: Path | None) -> None:
    """Print a table of days, and draw them."""
    print("| GPUs | users | simulated GPUs | pictures | busy | wait p50 s | p90 | p99 | Jain | wrong | cents |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    results: dict[str, Result] = {}
    for gpus, users in loads:
        simulated = min(gpus, sample)
        result = Day(gpus=simulated, users=round(users * simulated / gpus)).run()
        results[f"{gpus:,} GPUs, {users:,}"] = result
        print(row(gpus, users, result, simulated=simulated, price=price), flush=True)
    if plots is not None:
        (plots / "scale-waits.svg").write_text(plot(results), encoding="utf-8")


async def measure_process(jobs: int, *, durable: bool) -> None:
    """Print how many jobs a second one process inserts, gives out, and records with their picture, on this disk."""
    picture = Picture(png=random.Random(0).randbytes(300_000), seed=1, width=448, height=640, infotext="")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        database = await Database.open(Path(folder) / "bot.sqlite3", durable=durable)
        store, files = JobStore(database), PictureFiles(Path(folder) / "pictures", database, durable=durable)
        started, busy = time.perf_counter(), time.process_time()
        for number in range(jobs):
            now = datetime.now(UTC)
            reply = ReplyTarget(channel_id=1, guild_id=number % 500)
            (added,) = await store.insert(number, [(CARD, reply)], now=now, allowance=QUOTA)
            (job,) = await store.lease([added.id], now=now)
            async with files.keeping([picture]) as stored:
                await store.rendered(job.id, stored, seconds=6.0)
            await store.posted(job.id, number)
            await store.done(job.id, now=now)
        each, busy = (time.perf_counter() - started) / jobs, (time.process_time() - busy) / jobs
        await database.close()
    kind = "full" if durable else "relaxed"
    print(
        f"durability {kind}: {1 / each:,.0f} jobs a second; {1000 * each:.1f} ms each, {1000 * busy:.1f} of processor"
    )


def measure_decisions(gpus: int, waiting: int) -> None:
    """Print what it costs to give out one job among so many GPUs."""
    queue, chance = WaitQueue(epoch=START), random.Random(0)
    for number in range(waiting):
        job = QueuedJob(
            id=str(number), user_id=chance.randrange(waiting), created_at=START, work=cost.work(CARD), count=1
        )
        queue.add(job)
    slots = gpus * AT_ONCE
    running = [RunningWork(job=job, work_left=float(job.work)) for job in queue.head(slots - 1)]
    for flow in running:
        queue.take(flow.job.id, START)
    started = time.process_time()
    for _ in range(10):
        others = queue.first_of_others({flow.owner for flow in running}, slots)
        (job, *_more) = scheduler.admit(queue.head(slots), others, running, at_once=slots)
        queue.take(job.id, START)
    each = (time.process_time() - started) / 10
    print(f"{gpus:,} GPUs, {waiting:,} waiting: {1000 * each:.1f} ms of processor time to choose a job")


def main() -> None:
    """Simulate or measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--load", nargs="*", default=["1:1000", "1:5000", "10:50000", "100:500000", "300:1000000", "1000:1000000"]
    )
    parser.add_argument("--sample", type=int, default=10, help="most GPUs that are simulated")
    parser.add_argument("--price", type=float, default=0.35, help="of a GPU's hour, in dollars")
    parser.add_argument("--plots", type=Path)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--jobs", type=int, default=500, help="for --limits")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if options.limits:
        for durable in (True, False):
            asyncio.run(measure_process(options.jobs, durable=durable))
        for gpus in (1, 10, 100, 1000):
            measure_decisions(gpus, waiting=gpus * 40)
        return
    loads = [(int(gpus), int(users)) for gpus, users in (each.split(":") for each in options.load)]
    simulate(loads, sample=options.sample, price=options.price, plots=options.plots)


if __name__ == "__main__":
    main()
