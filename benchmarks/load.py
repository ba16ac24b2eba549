"""Compare the bot under load with serial stock diffusers: `python benchmarks/load.py [--users 8] [--seconds 60]`.

Users ask for pictures at random times (Poisson arrivals); the first of them asks for as many as all others together.
Both paint the same arrivals with the bundled checkpoint, in this run, in real time: the bot with its own queue,
scheduler, shares and engine, one picture a job; diffusers' own pipeline (eager) one picture after the other, first
come, first served. `--load 1.5` has them ask for 1.5 times as many pictures as diffusers paints. A wait lasts from the
request until the picture is painted. Fairness is Jain's index over users of the pictures received until the last
request, each as a share of the user's max-min fair share of all of them: 1 is fair.
"""

import argparse
import itertools
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from pastelbot.cli.bench import Row, publish
from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.devices import device_name
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.diffusion.engine.pool import EnginePool
from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.records import GenerationRequest, Painted, PaintingFailed, Progress
from pastelbot.rules import cost
from pastelbot.store.jobs.rows import QueuedJob

SLOTS = 4
SEED = 7


@dataclass(kw_only=True)
class Visit:
    """A picture's way: who asked for it and when, and when it was painted, in seconds."""

    job_id: str
    user: int
    came: float
    request: GenerationRequest
    ready: float = 0.0

    @property
    def wait(self) -> float:
        """Return the seconds until it was painted."""
        return self.ready - self.came


def measured(checkpoint: Checkpoint) -> Engine:
    """Return an engine that chooses its batches as the bot's do."""
    return Engine(checkpoint, measured_rows=True)


class Bot:
    """The bot's queue and engine."""

    def __init__(self, checkpoint: Checkpoint, visits: Sequence[Visit]) -> None:
        """Take the visits in the order of time."""
        self.pool = EnginePool(
            "default", checkpoint, load=lambda _name: checkpoint, make=measured, in_memory=1, slots=SLOTS
        )
        self.coming = list(visits)
        self.visits = {visit.job_id: visit for visit in visits}
        self.queue = WaitQueue(default_work=cost.work(visits[0].request))
        self.running: dict[str, RunningWork] = {}

    def paint_all(self) -> None:
        """Paint all visits at the times at which they come."""
        start = time.perf_counter()
        while self.coming or self.running:
            now = time.perf_counter() - start
            if not self.running and self.coming[0].came > now:
                time.sleep(self.coming[0].came - now)
            self._take_in(time.perf_counter() - start)
            for event in self.pool.step():
                if isinstance(event, PaintingFailed):
                    raise SystemExit(event.reason)
                if isinstance(event, Progress):
                    job = self.running[event.job_id]
                    done = cost.share_done(self.visits[event.job_id].request, event.step, event.steps)
                    job.work_left = job.job.work * (1 - done)
                if isinstance(event, Painted):
                    self.visits[event.job_id].ready = time.perf_counter() - start
                    del self.running[event.job_id]
                    self.queue.finished(event.job_id)

    def _take_in(self, now: float) -> None:
        while self.coming and self.coming[0].came <= now:
            visit = self.coming.pop(0)
            work = cost.work(visit.request)
            self.queue.add(QueuedJob(id=visit.job_id, user_id=visit.user, created_at=visit.came, work=work, count=1))
        running = tuple(self.running.values())
        others = self.queue.first_of_others({one.owner for one in running}, SLOTS)
        for job in scheduler.admit(self.queue.head(SLOTS), others, running, at_once=SLOTS):
            self.queue.take(job.id, now)
            self.running[job.id] = RunningWork(job=job, work_left=float(job.work))
            self.pool.admit(job.id, self.visits[job.id].request, owner=job.user_id)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--load", type=float, default=1.5)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    request = GenerationRequest(
        prompt="1girl, red hair", negative_prompt="blurry", width=options.size, height=options.size, steps=options.steps
    )
    torch.set_num_threads(1)
    checkpoint, plain = (
        loading.load(str(bundled_checkpoint()), device=options.device, precision="fp32"),
        stock_pipeline(options.device),
    )
    paint_alone(Engine(checkpoint), request)
    alone = min(stock_seconds(plain, request) for _ in range(3))
    visits = arrivals(request, users=options.users, seconds=options.seconds, a_second=options.load / alone)
    rows = [paint("diffusers, serial", visits, lambda found: stock_serial(plain, found))]
    rows.insert(0, paint("Pastelbot", visits, lambda found: Bot(checkpoint, found).paint_all()))
    facts = {
        "requests": f"{len(visits)} of {options.users} users in {options.seconds:g} s, {options.load:g} times what "
        f"diffusers paints ({alone:.2f} s a picture); half of them from one user",
        "picture": f"{request.width}x{request.height}, {request.sampler}, {request.steps} steps, float32, 1 thread",
    }
    publish("load", device_name(checkpoint.device), facts, rows, options.json)


def arrivals(request: GenerationRequest, *, users: int, seconds: float, a_second: float) -> list[Visit]:
    """Return requests at random times, with two at least; every second one, at random, is the first user's."""
    chance, at, visits = random.Random(SEED), 0.0, list[Visit]()
    while at < seconds or len(visits) < 2:
        number = len(visits)
        user = 0 if users == 1 or chance.random() < 0.5 else chance.randrange(1, users)
        visits.append(Visit(job_id=f"{number}", user=user, came=at, request=request.replace(seed=number)))
        at += chance.expovariate(a_second)
    return visits


def paint(name: str, visits: Sequence[Visit], painter: Callable[[list[Visit]], None]) -> Row:
    """Paint copies of visits and return what came of it."""
    found = [Visit(job_id=one.job_id, user=one.user, came=one.came, request=one.request) for one in visits]
    painter(found)
    waits = sorted(visit.wait for visit in found)
    return {
        "": name,
        "pictures a minute": 60 * len(found) / max(visit.ready for visit in found),
        "wait p50 (s)": statistics.median(waits),
        "wait p99 (s)": waits[min(len(waits) - 1, int(0.99 * len(waits)))],
        "median wait of the others (s)": statistics.median([one.wait for one in found if one.user] or waits),
        "fairness": fairness(found),
    }


def fairness(visits: Sequence[Visit]) -> float:
    """Return Jain's index of what users received until the last request, relative to their max-min fair shares."""
    end = max(visit.came for visit in visits)
    asked = Counter(visit.user for visit in visits)
    received = Counter(visit.user for visit in visits if visit.ready <= end)
    shares = fair_shares(asked, sum(received.values()))
    parts = [received[user] / share for user, share in shares.items() if share]
    squares = sum(part * part for part in parts)
    return sum(parts) ** 2 / (len(parts) * squares) if squares else 1.0


def fair_shares(asked: Counter[int], pictures: float) -> dict[int, float]:
    """Divide pictures equally, but give no user more than was asked for."""
    shares: dict[int, float] = {}
    for left, user in zip(itertools.count(len(asked), -1), sorted(asked, key=asked.__getitem__), strict=False):
        shares[user] = min(asked[user], pictures / left)
        pictures -= shares[user]
    return shares


def stock_pipeline(device: str) -> StableDiffusionPipeline:
    """Return the pipeline that a plain bot would call."""
    plain = StableDiffusionPipeline.from_pretrained(
        bundled_checkpoint(), safety_checker=None, torch_dtype=torch.float32
    )
    plain.scheduler = DPMSolverMultistepScheduler.from_config(plain.scheduler.config, use_karras_sigmas=True)
    plain.set_progress_bar_config(disable=True)
    return plain.to(device)


def stock_seconds(plain: StableDiffusionPipeline, request: GenerationRequest) -> float:
    """Return the seconds of a picture."""
    start = time.perf_counter()
    plain(
        request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        num_inference_steps=request.steps,
    )
    return time.perf_counter() - start


def stock_serial(plain: StableDiffusionPipeline, visits: Sequence[Visit]) -> None:
    """Paint one picture after the other, as they come."""
    start = time.perf_counter()
    for visit in visits:
        time.sleep(max(0.0, visit.came - (time.perf_counter() - start)))
        stock_seconds(plain, visit.request)
        visit.ready = time.perf_counter() - start


if __name__ == "__main__":
    main()
