"""Gives jobs out, records what comes back, and tells those who show it.

Everything that happens goes through one mailbox, one item after the other, so no two steps of this file ever run at
the same time and none of it needs a lock.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from pastelbot.jobs import scheduler
from pastelbot.jobs.background import Mailbox, call_later
from pastelbot.jobs.executor import Executor
from pastelbot.records import (
    BeingPainted,
    Cancel,
    Ended,
    Event,
    InLine,
    Job,
    JobStatus,
    Paint,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Progress,
    Rendered,
    Update,
    WorkerLost,
    WorkerReady,
)
from pastelbot.store.jobs import JobStore
from pastelbot.store.picture_files import PictureFiles

_ATTEMPTS = 2
_POLL_SECONDS = 15.0

log = structlog.get_logger(__name__)


class Dispatcher:
    """Claims jobs while the worker has room, and follows each to its end."""

    def __init__(
        self,
        jobs: JobStore,
        executor: Executor,
        files: PictureFiles,
        *,
        at_once: int,
        stall_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._executor = executor
        self._files = files
        self._at_once = at_once
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._publish: Callable[[Update], None] = lambda _update: None
        self._running: dict[str, Job] = {}
        self._ready = False
        self.checkpoint: WorkerReady | None = None
        self._heard_at = clock()
        self._mailbox: Mailbox[Event | Job | None] = Mailbox(self._handle)
        self._poll: asyncio.TimerHandle | None = None

    async def start(self, publish: Callable[[Update], None]) -> None:
        """Put right what an earlier process left behind, then start the worker."""
        self._publish = publish
        for job in await self._jobs.with_status(JobStatus.LEASED):
            await self._give_back(job, "the bot stopped while this was painted, twice")
        for job in await self._jobs.with_status(JobStatus.POSTED):
            await self._jobs.done(job.id, now=self._clock())
        for job in await self._jobs.with_status(JobStatus.RENDERED):
            self._publish(Rendered(job=job))
        self._executor.start(self._mailbox.put)
        self._tick()

    def wake(self) -> None:
        """Look at the queue soon: something was added or has left."""
        self._mailbox.put(None)

    def drop(self, job: Job) -> None:
        """Let go of a job that was ended elsewhere.

        It goes through the mailbox: what was reported of the job before is shown before, and nothing after.
        """
        self._mailbox.put(job)

    async def position(self, job_id: str) -> int:
        """Return the waiting job's place, jobs being painted counted; 0 where it does not wait."""
        line = [job.id for job in await self._line()]
        return len(self._running) + line.index(job_id) + 1 if job_id in line else 0

    async def overview(self) -> tuple[list[Job], list[Job]]:
        """Return the jobs being painted and the jobs in line, in order."""
        return list(self._running.values()), await self._line()

    async def close(self) -> None:
        """Stop giving out, end the worker, and put what it had back in line."""
        if self._poll is not None:
            self._poll.cancel()
        await self._mailbox.close()
        await self._executor.close()
        for job_id in self._running:
            await self._jobs.requeue(job_id, crashed=False)
        self._running.clear()

    async def _handle(self, event: Event | Job | None) -> None:
        if not isinstance(event, Job | None):
            self._heard_at = self._clock()
        match event:
            case Job():
                self._let_go(event)
            case Progress():
                self._report(event)
                return
            case WorkerReady():
                log.info("worker ready", device=event.device, checkpoint=event.checkpoint, hash=event.checkpoint_hash)
                self._ready = True
                self.checkpoint = event
            case WorkerLost():
                await self._lost(event.reason)
            case Painted():
                await asyncio.shield(self._painted(event))
            case PaintingFailed():
                await asyncio.shield(self._end(event.job_id, JobStatus.FAILED, event.reason))
            case PaintingCancelled():
                await asyncio.shield(self._end(event.job_id, JobStatus.CANCELLED, None))
        await self._give_out()

    def _let_go(self, job: Job) -> None:
        if self._running.pop(job.id, None) is not None:
            self._executor.send(Cancel(job_id=job.id))
        self._publish(Ended(job=job))

    def _report(self, event: Progress) -> None:
        job = self._running.get(event.job_id)
        if job is not None:
            self._publish(BeingPainted(job=job, step=event.step, steps=event.steps, preview=event.preview))

    async def _line(self) -> list[Job]:
        waiting = await self._jobs.with_status(JobStatus.QUEUED)
        served = await self._jobs.last_served(job.user_id for job in waiting)
        return scheduler.line_up(waiting, list(self._running.values()), served)

    async def _give_out(self) -> None:
        line = await self._line()
        if self._ready:
            chosen = scheduler.admit(line, list(self._running.values()), at_once=self._at_once)
            if chosen and not self._running:
                self._heard_at = self._clock()
            for job in await self._jobs.lease([job.id for job in chosen], now=self._clock()):
                self._running[job.id] = job
                self._executor.send(Paint(job_id=job.id, request=job.request))
        ahead = len(self._running)
        for place, job in enumerate((job for job in line if job.id not in self._running), start=1):
            self._publish(InLine(job=job, position=ahead + place))

    async def _painted(self, event: Painted) -> None:
        async with self._files.keeping(event.pictures) as stored:
            job = await self._jobs.rendered(event.job_id, stored, seconds=event.seconds)
        self._running.pop(event.job_id, None)
        if job is None:
            return
        log.info("painted", job=job.id, seconds=round(event.seconds, 2), pictures=len(stored))
        self._publish(Rendered(job=job))

    async def _end(self, job_id: str, status: JobStatus, reason: str | None) -> None:
        self._running.pop(job_id, None)
        job = await self._jobs.end(job_id, status, now=self._clock(), reason=reason)
        if job is not None:
            log.info("job ended", job=job_id, status=str(status), reason=reason)
            self._publish(Ended(job=job))

    async def _lost(self, reason: str) -> None:
        log.error("worker lost", reason=reason, jobs=list(self._running))
        self._ready = False
        lost, self._running = self._running, {}
        for job in lost.values():
            await self._give_back(job, f"{reason}, twice while this was painted")

    async def _give_back(self, job: Job, reason: str) -> None:
        """Queue a job again whose worker died, or fail it when that was its last attempt."""
        if job.attempts + 1 >= _ATTEMPTS:
            await self._end(job.id, JobStatus.FAILED, reason)
        else:
            await self._jobs.requeue(job.id, crashed=True)

    def _tick(self) -> None:
        """Look now and then, whatever was missed, and end a worker that says nothing while it should paint."""
        silent = (self._clock() - self._heard_at).total_seconds()
        if self._running and silent > self._stall_seconds:
            self._heard_at = self._clock()
            self._executor.restart(f"the worker said nothing for {silent:.0f} s")
        self.wake()
        self._poll = call_later(_POLL_SECONDS, self._tick)
