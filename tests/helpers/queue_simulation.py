"""The queue with a simulated worker: everything of `jobs.queue` is real, time and painting are numbers.

A step takes as long as its effort, and a bit for each call of the network. Nothing here looks at a clock, so a load
gives the same times whenever and wherever it runs.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.positions import Ahead, QueuePositions
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.records import GenerationRequest, HiresFix
from pastelbot.rules import cost
from pastelbot.rules.timing.fair_shares import FairShares, NextTurn, decoding_effort, denoising_effort
from pastelbot.store.jobs.rows import QueuedJob

START = datetime(2026, 1, 1, tzinfo=UTC)
EFFORT_A_SECOND = 20e6  # the card's picture takes about six seconds
CALL = 0.01  # seconds for each call of the network, whatever its size
ROWS = 2

CARD = GenerationRequest(prompt="card", hires=HiresFix(width=960, height=1280, steps=20))
PLAIN = GenerationRequest(prompt="plain")
LITTLE = GenerationRequest(prompt="little", width=128, height=128)
FOUR = GenerationRequest(prompt="four", count=4)
MIX = (CARD, CARD, PLAIN, PLAIN, LITTLE, FOUR, CARD.replace(count=2))


@dataclass(kw_only=True)
class Visit:
    """One job's way through the queue, in seconds: when it came, began and was ready, and when it was to be ready."""

    job: QueuedJob
    request: GenerationRequest
    came: float
    began: float | None = None
    ready: float | None = None
    promised: list[tuple[float, float]] = field(default_factory=list)  # (when it was said, what was said)


class _Painting:
    """A job in the simulated worker."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.request = visit, visit.request
        hires = self.request.hires
        first = (self.request.width * self.request.height, self.request.steps)
        passes = [first] if hires is None else [first, (hires.width * hires.height, hires.steps)]
        self.steps = [pixels for pixels, count in passes for _ in range(count)]
        self.step, self.decoded = 0, 0

    @property
    def done(self) -> bool:
        return self.decoded == self.request.count

    @property
    def next_turn(self) -> NextTurn:
        decodes = self.step == len(self.steps)
        effort = (
            decoding_effort(self.steps[-1])
            if decodes
            else denoising_effort(self.steps[self.step], ROWS) * self.request.count
        )
        return NextTurn(job_id=self.visit.job.id, owner=self.visit.job.user_id, effort=effort, decodes=decodes)

    def advance(self) -> None:
        if self.step < len(self.steps):
            self.step += 1
        else:
            self.decoded += 1

    @property
    def share(self) -> float:
        return cost.share_done(self.request, self.step, len(self.steps))


class Simulation:
    """A queue and a worker; `arrivals` are (seconds, user, request), in the order of time."""

    def __init__(self, arrivals: Sequence[tuple[float, int, GenerationRequest]], *, at_once: int = 4) -> None:
        self.visits: list[Visit] = []
        self.seconds = 0.0
        self._arrivals = list(arrivals)
        self._at_once = at_once
        self._queue = WaitQueue(epoch=START.timestamp())
        self._throughput = Throughput()
        self._positions = QueuePositions(self._queue, self._throughput, at_once=at_once)
        self._shares = FairShares(at_once)
        self._painting: dict[str, _Painting] = {}
        self._waiting: dict[str, Visit] = {}

    def run(self) -> list[Visit]:
        """Let all arrive and be painted; return their visits in the order of arrival."""
        while self._arrivals or self._painting:
            if not self._painting:
                self.seconds = max(self.seconds, self._arrivals[0][0])
            self._let_arrive()
            self._refresh()
            self._turn()
        return self.visits

    def _let_arrive(self) -> None:
        while self._arrivals and self._arrivals[0][0] <= self.seconds:
            at, user, request = self._arrivals.pop(0)
            job = QueuedJob(
                id=f"{len(self.visits)}",
                user_id=user,
                created_at=START.timestamp() + at,
                work=cost.work(request),
                count=request.count,
            )
            visit = Visit(job=job, request=request, came=at)
            self.visits.append(visit)
            self._waiting[job.id] = visit
            self._queue.add(job)
            place = self._positions.mark_shown(job.id, self._ahead(), self._now())
            if place is not None and place.ready_at is not None:
                self._promise(visit, place.ready_at)
        self._dispatch()

    def _dispatch(self) -> None:
        while True:
            running = self._ahead().running
            others = self._queue.first_of_others({one.job.user_id for one in running}, self._at_once)
            chosen = scheduler.admit(self._queue.head(self._at_once), others, running, at_once=self._at_once)
            if not chosen:
                return
            for job in chosen:
                self._queue.take(job.id, START.timestamp() + self.seconds)
                self._positions.forget(job.id)
                visit = self._waiting.pop(job.id)
                visit.began = self.seconds
                self._painting[job.id] = _Painting(visit)

    def _refresh(self) -> None:
        for job_id, place in self._positions.stale(self._ahead(), self._now(), depth=100, most=50).items():
            if place.ready_at is not None:
                self._promise(self._waiting[job_id], place.ready_at)

    def _promise(self, visit: Visit, ready_at: datetime) -> None:
        visit.promised.append((self.seconds, (ready_at - START).total_seconds()))

    def _turn(self) -> None:
        turns = [one.next_turn for one in self._painting.values()]
        advancing = self._shares.choose(turns)
        chosen = [turn for turn in turns if turn.job_id in advancing]
        took = sum(turn.effort for turn in chosen) / EFFORT_A_SECOND + CALL * len(chosen)
        self.seconds += took
        self._throughput.busy(took)
        for turn in chosen:
            self._advance(self._painting[turn.job_id])

    def _advance(self, one: _Painting) -> None:
        before = one.share
        one.advance()
        self._throughput.worked(one.visit.job.work * (one.share - before))
        if one.done:
            one.visit.ready = self.seconds
            del self._painting[one.visit.job.id]
            self._queue.finished(one.visit.job.id)
            self._throughput.done(0)
            self._dispatch()

    def _ahead(self) -> Ahead:
        running = (
            RunningWork(job=one.visit.job, work_left=one.visit.job.work * (1 - one.share))
            for one in self._painting.values()
        )
        return Ahead(running=tuple(running))

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def all_at_once(seed: int, *, users: int, jobs: int) -> list[tuple[float, int, GenerationRequest]]:
    """Return a mixed load that comes all at once, after a few jobs that give the throughput something to measure."""
    chance = random.Random(seed)
    first = [(number * 20.0, 1000 + number, request) for number, request in enumerate((*MIX, *MIX))]
    return [*first, *((400.0, chance.randrange(users), chance.choice(MIX)) for _ in range(jobs))]


def one_by_one(seed: int, *, users: int, seconds: float, a_second: float) -> list[tuple[float, int, GenerationRequest]]:
    """Return a mixed load of so many jobs a second, at random times."""
    chance, at = random.Random(seed), 0.0
    arrivals = []
    while at < seconds:
        at += chance.expovariate(a_second)
        arrivals.append((at, chance.randrange(users), chance.choice(MIX)))
    return arrivals


def errors(visits: Sequence[Visit], *, after: float = 400.0, least: float = 10.0) -> list[float]:
    """Return how wrong the times were that waiting users were shown at first, as shares of how long it took.

    Those who came at the same moment count as known. What took less than `least` seconds counts as that long.
    """
    found = []
    for visit in visits:
        shown = [promise for promise in visit.promised if promise[0] <= visit.came + 1]
        if visit.came >= after and visit.began is not None and visit.began > visit.came and visit.ready and shown:
            said, ready = shown[-1]
            found.append(abs(ready - visit.ready) / max(visit.ready - said, least))
    return found
