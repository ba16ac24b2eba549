"""Waiting jobs: the wait queue, kept equal to the database's, and the positions that people see."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pastelbot.jobs.painting_clock import PaintingClock
from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.forecast import work_until_painted
from pastelbot.jobs.queue.load_time import LoadTime
from pastelbot.jobs.queue.positions import Ahead, Place, QueuePositions
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.jobs.running import LeasedJob, RunningJobs
from pastelbot.records import InLine, Job, JobStatus
from pastelbot.store.jobs.rows import QueuedJob, Served
from pastelbot.store.jobs.store import JobStore

_REMEMBERED = timedelta(days=3)
_REFRESHED_AT_ONCE = 50  # at most so many messages are edited at once


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The running jobs, the first queued ones in order, how many are queued, and whether the model is unloaded."""

    running: list[Job]
    queue: list[Job]
    waiting: int
    unloaded: bool = False


class WaitingJobs:
    """Queued jobs. The database is authoritative; `compare` mends what differs from it."""

    def __init__(
        self,
        jobs: JobStore,
        queue: WaitQueue,
        throughput: Throughput,
        running: RunningJobs,
        *,
        at_once: int,
        clock: Callable[[], datetime],
        painting_clock: PaintingClock,
        load_time: LoadTime,
    ) -> None:
        self._jobs = jobs
        self._queue = queue
        self._running = running
        self._at_once = at_once  # a worker
        self.workers = 0  # that are ready
        self._clock = clock
        self._painting_clock = painting_clock
        self._load_time = load_time
        self._throughput = throughput
        self._positions = QueuePositions(queue, throughput, at_once=at_once)

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return len(self._queue)

    @property
    def interruption(self) -> str:
        """Return why nothing is painted, "" where painting goes on."""
        return self._positions.interruption

    @property
    def pauses(self) -> bool:
        """Return whether nothing may be dispatched, because the disk is full."""
        return bool(self._positions.no_space)

    def interrupt(self, *, worker_lost: str | None = None, no_space: str | None = None) -> None:
        """Show at every position why nothing is painted; "" ends that reason."""
        if worker_lost is not None:
            self._positions.worker_lost = worker_lost
        if no_space is not None:
            self._positions.no_space = no_space

    async def fill(self) -> None:
        """Read the queue from the database, with what each person was served lately."""
        served = await self._jobs.served_since(self._clock() - _REMEMBERED)
        self._queue.fill(map(self._ranked, await self._jobs.in_line()), map(self._past, served))

    def add(self, job: Job) -> None:
        """Add a job that the database has queued just now."""
        self._queue.add(replace(QueuedJob.of(job), created_at=self._painting_clock.steady()))

    def leave(self, job_id: str) -> None:
        """Remove a job that no longer waits."""
        self._queue.remove(job_id)
        self._positions.forget(job_id)

    def take(self, job: Job) -> LeasedJob:
        """Count a job as taken by the worker, which it is from now."""
        taken_at = self._painting_clock.steady()
        waiting = self._queue.take(job.id, taken_at) or QueuedJob.of(job)
        return LeasedJob(job=job, waiting=waiting, taken_at=taken_at)

    def finished(self, job_id: str) -> None:
        """Forget a taken job."""
        self._queue.finished(job_id)

    def give_back(self, one: LeasedJob, *, attempts: int) -> None:
        """Add a taken job again, where it was."""
        self._queue.give_back(replace(one.waiting, attempts=attempts), one.taken_at)

    async def compare(self) -> None:
        """Make the queue equal to the database's."""
        before = self._queue.ids()  # who joins while the database is read is not in its answer
        there = await self._jobs.ids_in_line()
        for job_id in before - there:
            self.leave(job_id)
        known = self._queue.ids() | self._running.ids()
        if there - known:
            for job in await self._jobs.in_line(but=known):
                self._queue.add(self._ranked(job))
        self._queue.forget(self._painting_clock.steady())

    def admitted(self) -> list[QueuedJob]:
        """Return the jobs that may be given to the worker now."""
        running = self._ahead().running
        slots = self._at_once * self.workers
        others = self._queue.first_of_others({one.job.user_id for one in running}, slots)
        return scheduler.admit(self._queue.head(slots), others, running, at_once=slots)

    @property
    def awaits_worker(self) -> bool:
        """Return whether the next job would be given out if there were one more worker."""
        return bool(self._queue.head(1))

    def place(self, job_id: str) -> Place | None:
        """Return a waiting job's position, running jobs included; None where it does not wait."""
        return self._positions.mark_shown(job_id, self._ahead(), self._clock())

    def seconds_left(self, job_id: str) -> float | None:
        """Return how long a running job still takes beside the others that run; None while nothing was measured."""
        if self._throughput.seconds_for(1) is None:
            return None
        ahead = self._ahead()
        work = work_until_painted(ahead.running, at_once=self._at_once * ahead.workers).get(job_id)
        return None if work is None else self._throughput.seconds_for(work / self.at_work)

    async def moved(self, depth: int) -> list[InLine]:
        """Return the positions that differ from those shown, of the first `depth` jobs."""
        places = self._positions.stale(self._ahead(), self._clock(), depth=depth, most=_REFRESHED_AT_ONCE)
        jobs = await self._jobs.several(list(places)) if places else []
        return [
            InLine(
                job=job,
                position=place.position,
                ready_at=place.ready_at,
                paused=place.paused,
                interruption=place.interruption,
            )
            for job in jobs
            if job.id in self._queue and job.status is JobStatus.QUEUED
            for place in (places[job.id],)
        ]

    async def overview(self, *, most: int) -> Overview:
        """Return the running jobs and the first queued ones."""
        order = [job.id for job in self._queue.head(most)]
        found = {job.id: job for job in await self._jobs.several(order)}
        queue = [found[job_id] for job_id in order if job_id in found]
        return Overview(running=[one.job for one in self._running], queue=queue, waiting=len(self._queue))

    @property
    def at_work(self) -> int:
        """Return how many workers have jobs."""
        return self._ahead().at_work(len(self._running))

    def _ahead(self) -> Ahead:
        running = tuple(RunningWork(job=one.waiting, work_left=one.work_left) for one in self._running)
        delay = 0.0 if self.workers else self._load_time.left
        return Ahead(running=running, workers=max(1, self.workers), delay=delay)

    def _ranked(self, job: QueuedJob) -> QueuedJob:
        return replace(job, created_at=self._painting_clock.not_after_now(job.created_at))

    def _past(self, served: Served) -> Served:
        return replace(served, at=self._painting_clock.not_after_now(served.at))
