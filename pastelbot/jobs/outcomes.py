"""Outcomes: what becomes of a job that the worker had. It is rendered, ended, or queued again.

An outcome whose database or disk fails is tried again from its beginning, so each of them changes what is in memory
only after its transaction.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from pastelbot.errors import StorageError
from pastelbot.jobs.observer import Failure, Observer
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.running import LeasedJob, RunningJobs
from pastelbot.jobs.waiting_jobs import WaitingJobs
from pastelbot.records import (
    Ended,
    Job,
    JobStatus,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Rendered,
    Update,
    WorkerLost,
)
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

ATTEMPTS = 2  # so often a job is painted whose worker dies, or whose pictures are lost

log = structlog.get_logger(__name__)


class Outcomes:
    """Records what the worker reports, and frees the slots of its jobs."""

    def __init__(
        self,
        jobs: JobStore,
        files: PictureFiles,
        waiting: WaitingJobs,
        running: RunningJobs,
        throughput: Throughput,
        observer: Observer,
        clock: Callable[[], datetime],
        publish: Callable[[Update], None],
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._waiting = waiting
        self._running = running
        self._throughput = throughput
        self._observer = observer
        self._clock = clock
        self._publish = publish

    async def take(self, event: Painted | PaintingFailed | PaintingCancelled) -> None:
        """Record what the worker reported of a job."""
        self._running.reported(event.job_id)
        await self._guarded(event.job_id, self._take(event))

    async def lost(self, event: WorkerLost) -> None:
        """Queue the jobs of a worker again that has ended."""
        reason = event.reason
        lost = [one for one in self._running if event.jobs is None or one.job.id in event.jobs]
        log.error("worker lost", reason=reason, detail=event.detail, jobs=sorted(one.job.id for one in lost))
        self._throughput.idle()
        self._running.reported(*(event.jobs if event.jobs is not None else self._running.given()))
        for one in lost:
            await self._guarded(one.job.id, self.give_back(one, f"{reason}, twice while this was painted"))

    async def give_back(self, one: LeasedJob, reason: str) -> None:
        """Queue a running job again, or fail it when this was its last attempt."""
        one.share = 0.0  # what a worker did before it died is no measure of its throughput
        queued = await self.paint_again(one.job, reason)
        self._running.free(one.job.id)
        if queued is not None:
            self._waiting.give_back(one, attempts=queued.attempts)

    async def paint_again(self, job: Job, reason: str) -> Job | None:
        """Queue a job again whose worker died, or fail it when that was its last attempt and return None."""
        if job.attempts + 1 < ATTEMPTS:
            return await self._jobs.requeue(job.id, crashed=True)
        log.error("a job is not painted again", job=job.id, user=job.user_id, reason=reason)
        await self.fail(job.id, reason, Failure.WORKER_LOST)
        return None

    async def fail(self, job_id: str, reason: str, kind: Failure) -> None:
        """Fail a job, which refunds it, and free its slot."""
        if await self._end(job_id, JobStatus.FAILED, reason):
            self._observer.failed(kind)

    def release(self, job_id: str, *, finished: bool = False) -> None:
        """Free the slot of a job that no longer runs, and count what it did since its last step."""
        self._running.reported(job_id)
        one = self._running.free(job_id)
        self._waiting.finished(job_id)
        if one is not None and (finished or one.share):
            self._throughput.done(one.work_left if finished else 0.0)

    async def _take(self, event: Painted | PaintingFailed | PaintingCancelled) -> None:
        match event:
            case Painted():
                await self._painted(event)
            case PaintingFailed():
                await self.fail(event.job_id, event.reason, Failure.REFUSED)
            case PaintingCancelled():
                await self._end(event.job_id, JobStatus.CANCELLED, None)

    async def _guarded(self, job_id: str, work: Awaitable[None]) -> None:
        """Let what goes wrong with one job cost that job alone; a StorageError is no fault of any job."""
        try:
            await work
        except StorageError:
            raise
        except Exception:
            log.exception("a job failed by an unexpected error", job=job_id)
            await self.fail(job_id, "an unexpected error of the bot, which is in its log", Failure.ERROR)

    async def _painted(self, event: Painted) -> None:
        async with self._files.keeping(event.pictures) as stored:
            job = await self._jobs.rendered(event.job_id, stored, seconds=event.seconds)
        self.release(event.job_id, finished=True)
        if job is not None:
            self._observer.painted(seconds=event.seconds)
            log.info("painted", job=job.id, seconds=round(event.seconds, 2), pictures=len(stored))
            for note in event.notes:
                log.warning("not painted as expected", job=job.id, note=note)
            self._publish(Rendered(job=job))
        await self._throughput.save()

    async def _end(self, job_id: str, status: JobStatus, reason: str | None) -> bool:
        """End a job and free its slot; return whether it had not ended before."""
        job = None
        try:
            job = await self._jobs.end(job_id, status, now=self._clock(), reason=reason)
        except StorageError:
            raise  # it is tried again, and the job keeps its slot until then
        except Exception:
            log.exception("a job could not be ended", job=job_id)
        self.release(job_id)
        self._waiting.leave(job_id)
        if job is not None:
            log.info("job ended", job=job_id, status=str(status), reason=reason)
            self._publish(Ended(job=job))
        return job is not None
