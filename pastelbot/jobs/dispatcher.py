"""Dispatcher: sends queued jobs to the executor, records their results, and publishes updates.

Everything that takes time passes one mailbox, item by item, so no two steps of this module run at the same time and
none of it needs a lock. Joining and leaving the queue is immediate. An item whose database or disk fails is handled
again from its beginning, so each of them changes what is in memory only after its transaction.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from pastelbot.errors import PastelError, StorageError, StorageFullError, StoreError
from pastelbot.jobs.background import CallLater, Mailbox, call_later
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.observer import Failure, NoObserver, Observer
from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.positions import Ahead, Place, QueuePositions
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.throughput import KeyValues, Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.jobs.running import LeasedJob, RunningJobs
from pastelbot.records import (
    BeingPainted,
    Cancel,
    CheckpointLoaded,
    Ended,
    Event,
    InLine,
    Job,
    JobStatus,
    Loading,
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
from pastelbot.rules import cost
from pastelbot.rules.device_speed import card_minutes
from pastelbot.store.jobs.rows import QueuedJob, Served
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

_ATTEMPTS = 2
_POLL_SECONDS = 15.0
_WATCHED = 100  # queue positions that are checked after every event
_REFRESHED_AT_ONCE = 50  # at most so many messages are edited at once
_REMEMBERED = timedelta(days=3)
_NO_GPU = 'install a driver and torch for your GPU, or set checkpoint.path = "bundled"; pastelbot doctor says more'
_LOADING_LOGGED = 30.0  # seconds: how often the log says what the worker loads or downloads

log = structlog.get_logger(__name__)


async def _never_short() -> bool:
    return False


class _Rescan:
    """Mailbox item: dispatch what may run now, and publish the positions that have changed."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The running jobs, the first queued ones in order, and the number of queued ones."""

    running: list[Job]
    queue: list[Job]
    waiting: int


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """How many jobs run and wait, whether the worker accepts jobs, and why nothing is painted, "" where it is."""

    running: int
    waiting: int
    ready: bool
    interruption: str


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
        queue: WaitQueue | None = None,
        notes: KeyValues | None = None,
        running: RunningJobs | None = None,
        is_short_of_space: Callable[[], Awaitable[bool]] | None = None,
        observer: Observer | None = None,
        later: CallLater = call_later,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._executor = executor
        self._files = files
        self._at_once = at_once
        self._stall_seconds = stall_seconds
        self._clock, self._later, self._monotonic = clock, later, monotonic
        self._epoch = clock().timestamp() - monotonic()
        self._publish: Callable[[Update], None] = lambda _update: None
        self._is_short_of_space = is_short_of_space or _never_short
        self._observer: Observer = observer or NoObserver()
        self._running = running if running is not None else RunningJobs()
        self._queue = queue if queue is not None else WaitQueue(epoch=clock().timestamp())
        self._throughput = Throughput(notes)
        self._positions = QueuePositions(self._queue, self._throughput, at_once=at_once)
        self._looking = self._thorough = False
        self._ready = False
        self.checkpoint: WorkerReady | None = None
        self.loaded: dict[str, CheckpointLoaded] = {}
        self._heard_at = self._seen_at = self._looked_at = monotonic()
        self._loading_logged_at = self._heard_at - _LOADING_LOGGED
        self._mailbox: Mailbox[Event | Job | _Rescan] = Mailbox(self._handle, later=later)
        self._poll: asyncio.TimerHandle | None = None

    async def start(self, publish: Callable[[Update], None]) -> None:
        """Recover what an earlier process left behind, then start the worker."""
        self._publish = publish
        await self._throughput.load()
        for job in await self._jobs.with_status(JobStatus.LEASED):
            await self._paint_again(job, "the bot stopped while this was painted, twice")
        for job in await self._jobs.with_status(JobStatus.POSTED):
            await self._jobs.done(job.id, now=self._clock())
        served = await self._jobs.served_since(self._clock() - _REMEMBERED)
        self._queue.fill(map(self._ranked, await self._jobs.in_line()), map(self._past, served))
        for job in await self._jobs.with_status(JobStatus.RENDERED):
            self._publish(Rendered(job=job))
        self._executor.start(self._receive)
        self._tick()

    def add(self, job: Job) -> None:
        """Add a job that the database has queued to the wait queue."""
        self._queue.add(replace(QueuedJob.of(job), created_at=self._steady()))
        self.wake()

    def wake(self) -> None:
        """Rescan the queue soon; calls before that are merged."""
        if not self._looking:
            self._looking = True
            self._mailbox.put(_Rescan())

    async def end(
        self, job_id: str, status: JobStatus, *, reason: str | None = None, forget_pictures: bool = False
    ) -> Job | None:
        """Fail or cancel a job, refund it, and release it; None where it has already ended, which changes nothing.

        It leaves the queue at once. `forget_pictures` then removes its pictures from the database and the disk. The
        rest goes through the mailbox: what was reported of the job before is shown before, and nothing after.
        """
        ended = await self._jobs.end(job_id, status, now=self._clock(), reason=reason)
        if ended is None:
            return None
        self._leave(job_id)
        if status is JobStatus.FAILED:
            self._observer.failed(Failure.NOT_SHOWN)
        try:
            if forget_pictures:
                with_init = status is JobStatus.FAILED  # what was cancelled can be asked for again
                await self._files.drop(await self._jobs.forget_pictures(job_id, with_init=with_init))
        finally:
            self._mailbox.put(ended)
        return ended

    async def pictures_lost(self, job_id: str, reason: str) -> None:
        """Queue a painted job again whose pictures are lost, or fail it when this was its last attempt."""
        job = await self._jobs.get(job_id)
        if job is None or job.attempts + 1 >= _ATTEMPTS:
            await self.end(job_id, JobStatus.FAILED, reason=reason)
            return
        queued = await self._jobs.lost(job_id)
        if queued is not None:
            job, files = queued
            log.warning("painted again", job=job_id, reason=reason)
            self.add(job)
            with suppress(StoreError):  # a sweep removes them later
                await self._files.drop(files)

    def seconds_for(self, work: float) -> float | None:
        """Return how long the worker takes for so much work; None while nothing was measured."""
        return self._throughput.seconds_for(work)

    def place(self, job_id: str) -> Place | None:
        """Return a waiting job's position, running jobs included; None where it does not wait."""
        return self._positions.mark_shown(job_id, self._ahead(), self._clock())

    @property
    def state(self) -> QueueState:
        """Return how the queue stands."""
        return QueueState(
            running=len(self._running),
            waiting=len(self._queue),
            ready=self._ready,
            interruption=self._positions.interruption,
        )

    async def overview(self, *, most: int = 20) -> Overview:
        """Return the running jobs and the first queued ones."""
        order = [job.id for job in self._queue.head(most)]
        found = {job.id: job for job in await self._jobs.several(order)}
        queue = [found[job_id] for job_id in order if job_id in found]
        return Overview(running=[one.job for one in self._running], queue=queue, waiting=len(self._queue))

    async def close(self) -> None:
        """Stop dispatching, end the worker, and queue its jobs again."""
        if self._poll is not None:
            self._poll.cancel()
        await self._mailbox.close()
        await self._executor.close()
        for one in self._running:
            self._running.free(one.job.id)
            try:
                await self._jobs.requeue(one.job.id, crashed=False)
            except StoreError as error:  # the next start queues it again
                log.warning("a job was not queued again", job=one.job.id, reason=str(error))

    def _receive(self, event: Event) -> None:
        """Take an event of the executor, and count the time for which it painted until then."""
        self._heard_at = self._monotonic()
        if isinstance(event, WorkerLost):
            self._observer.worker_lost(event)
        if isinstance(event, Loading):
            self._seen_at = self._heard_at
        else:
            self._count_busy_time()
        self._mailbox.put(event)

    async def _handle(self, item: Event | Job | _Rescan) -> None:
        try:
            await self._take(item)
        except StorageFullError:  # it is tried again, and nothing is dispatched until then
            self._note_space(short=True)
            with suppress(StoreError):
                await self._refresh_positions(_WATCHED)
            raise

    async def _take(self, item: Event | Job | _Rescan) -> None:
        match item:
            case Progress():
                self._report(item)
            case Loading():
                self._log_loading(item)
            case _Rescan():
                await self._rescan()
            case Job():
                self._let_go(item)
                self.wake()
            case _:
                await self._on_event(item)
                await self._mend_slots()
                self.wake()

    async def _rescan(self) -> None:
        await self._mend_slots()
        thorough, self._looking, self._thorough = self._thorough, False, False
        depth = await self._compare() if thorough else _WATCHED
        if thorough:
            self._note_space(short=await self._is_short_of_space())
        if not self._positions.no_space:
            await self._dispatch()
        await self._refresh_positions(depth)

    def _note_space(self, *, short: bool) -> None:
        """Pause while the disk is full: what is running is finished and kept, and nothing more is begun."""
        if short and not self._positions.no_space:
            log.warning("painting pauses: the disk is full")
        elif self._positions.no_space and not short:
            log.info("painting goes on: the disk has space again")
        self._positions.no_space = "⚠️ Painting is interrupted: the disk of the bot is full." if short else ""

    async def _on_event(self, event: Event) -> None:
        match event:
            case WorkerReady():
                log.info("worker ready", device=event.device, checkpoint=event.checkpoint, hash=event.checkpoint_hash)
                if event.flops is not None:
                    minutes = max(1, round(card_minutes(event.flops)))
                    log.warning("there is no GPU: a picture takes minutes", card_picture_minutes=minutes, cure=_NO_GPU)
                self._ready = True
                self._positions.worker_lost = ""
                self.checkpoint = event
            case CheckpointLoaded():
                log.info("checkpoint loaded", name=event.name, checkpoint=event.checkpoint, hash=event.checkpoint_hash)
                self.loaded[event.name] = event
            case WorkerLost():
                await self._lost(event)
            case Painted() | PaintingFailed() | PaintingCancelled():
                self._running.reported(event.job_id)
                await self._guarded(event.job_id, self._on_result(event))

    async def _on_result(self, event: Painted | PaintingFailed | PaintingCancelled) -> None:
        match event:
            case Painted():
                await self._painted(event)
            case PaintingFailed():
                await self._fail(event.job_id, event.reason, Failure.REFUSED)
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
            await self._fail(job_id, "an unexpected error of the bot, which is in its log", Failure.ERROR)

    async def _mend_slots(self) -> None:
        """Hold the slots to what the executor was given and has not reported; a difference is a bug, and is mended."""
        for job_id in self._running.abandoned():
            log.error("the worker painted what nothing waits for", job=job_id)
            self._running.reported(job_id)
            self._executor.send(Cancel(job_id=job_id))
        for one in self._running.stuck():
            log.error("a slot was held by a job that the worker has reported", job=one.job.id)
            await self._give_back(one, "its result was lost, twice")

    def _count_busy_time(self) -> None:
        """Count the time since the last event for the throughput, if something was painted in it."""
        now = self._monotonic()
        if len(self._running):
            self._throughput.busy(now - self._seen_at)
        self._seen_at = now

    def _steady(self) -> float:
        """Return the seconds since 1970 without the jumps of the wall clock: ranks live by it."""
        return self._epoch + self._monotonic()

    def _ranked(self, job: QueuedJob) -> QueuedJob:
        """Return a queued job of the database; none was requested in the future, whatever the wall clock was then."""
        return replace(job, created_at=min(job.created_at, self._steady()))

    def _past(self, served: Served) -> Served:
        return replace(served, at=min(served.at, self._steady()))

    async def _compare(self) -> int:
        """Make the queue equal to the database's; return its length."""
        before = self._queue.ids()  # who joins while the database is read is not in its answer
        there = await self._jobs.ids_in_line()
        for job_id in before - there:
            self._leave(job_id)
        known = self._queue.ids() | self._running.ids()
        if there - known:
            for job in await self._jobs.in_line(but=known):
                self._queue.add(self._ranked(job))
        self._queue.forget(self._steady())
        return len(self._queue)

    def _leave(self, job_id: str) -> None:
        self._queue.remove(job_id)
        self._positions.forget(job_id)

    def _let_go(self, job: Job) -> None:
        if job.id in self._running:
            self._release(job.id)
            self._executor.send(Cancel(job_id=job.id))
        self._publish(Ended(job=job))

    def _report(self, event: Progress) -> None:
        one = self._running.get(event.job_id)
        if one is not None:
            done = cost.share_done(one.job.request, event.step, event.steps)
            self._throughput.worked(one.waiting.work * (done - one.share))
            one.share = done
            self._publish(BeingPainted(job=one.job, step=event.step, steps=event.steps, preview=event.preview))

    def _log_loading(self, event: Loading) -> None:
        now = self._monotonic()
        if now - self._loading_logged_at >= _LOADING_LOGGED:
            self._loading_logged_at = now
            log.info("loading", what=event.what)

    def _release(self, job_id: str, *, finished: bool = False) -> None:
        """Release a job that no longer runs, and count for the throughput what it did since its last step."""
        self._running.reported(job_id)
        one = self._running.free(job_id)
        self._queue.finished(job_id)
        if one is not None and (finished or one.share):
            self._throughput.done(one.work_left if finished else 0.0)

    def _ahead(self) -> Ahead:
        return Ahead(running=tuple(RunningWork(job=one.waiting, work_left=one.work_left) for one in self._running))

    async def _dispatch(self) -> None:
        while self._ready:
            running = self._ahead().running
            others = self._queue.first_of_others({one.job.user_id for one in running}, self._at_once)
            chosen = scheduler.admit(self._queue.head(self._at_once), others, running, at_once=self._at_once)
            if not chosen:
                return
            for job in await self._jobs.lease([job.id for job in chosen], now=self._clock()):
                await self._paint(job)
            for waiting in chosen:  # given out, or ended elsewhere meanwhile
                self._leave(waiting.id)

    async def _paint(self, job: Job) -> None:
        """Hand a leased job to the worker, with the picture that it starts from; where that is gone, the job fails."""
        if not len(self._running):
            self._heard_at = self._seen_at = self._monotonic()
        taken_at = self._steady()
        waiting = self._queue.take(job.id, taken_at) or QueuedJob.of(job)
        self._running.take(LeasedJob(job=job, waiting=waiting, taken_at=taken_at))
        if not job.attempts:
            self._observer.given_out(waited=taken_at - waiting.created_at)
        try:
            request = await self._files.with_init(job.request)
        except PastelError as error:
            self._running.reported(job.id)
            await self._fail(job.id, str(error), Failure.START_PICTURE)
            return
        self._executor.send(Paint(job_id=job.id, request=request, owner=job.user_id))

    async def _refresh_positions(self, depth: int) -> None:
        """Publish the positions that differ from those shown."""
        positions = self._positions.stale(self._ahead(), self._clock(), depth=depth, most=_REFRESHED_AT_ONCE)
        if not positions:
            return
        for job in await self._jobs.several(list(positions)):
            if job.id in self._queue and job.status is JobStatus.QUEUED:
                place = positions[job.id]
                self._publish(
                    InLine(
                        job=job,
                        position=place.position,
                        ready_at=place.ready_at,
                        paused=place.paused,
                        interruption=place.interruption,
                    )
                )

    async def _painted(self, event: Painted) -> None:
        async with self._files.keeping(event.pictures) as stored:
            job = await self._jobs.rendered(event.job_id, stored, seconds=event.seconds)
        self._release(event.job_id, finished=True)
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
        self._release(job_id)
        self._leave(job_id)
        if job is not None:
            log.info("job ended", job=job_id, status=str(status), reason=reason)
            self._publish(Ended(job=job))
        return job is not None

    async def _fail(self, job_id: str, reason: str, kind: Failure) -> None:
        if await self._end(job_id, JobStatus.FAILED, reason):
            self._observer.failed(kind)

    async def _lost(self, event: WorkerLost) -> None:
        reason = event.reason
        log.error("worker lost", reason=reason, detail=event.detail, jobs=sorted(self._running.ids()))
        self._ready = False
        self._positions.worker_lost = event.interruption
        self._throughput.idle()
        self._running.all_reported()
        for one in self._running:
            await self._guarded(one.job.id, self._give_back(one, f"{reason}, twice while this was painted"))

    async def _give_back(self, one: LeasedJob, reason: str) -> None:
        """Queue a running job again, or fail it when this was its last attempt."""
        one.share = 0.0  # what a worker did before it died is no measure of its throughput
        queued = await self._paint_again(one.job, reason)
        self._running.free(one.job.id)
        if queued is not None:
            self._queue.give_back(replace(one.waiting, attempts=queued.attempts), one.taken_at)

    async def _paint_again(self, job: Job, reason: str) -> Job | None:
        """Queue a job again whose worker died, or fail it when that was its last attempt and return None."""
        if job.attempts + 1 < _ATTEMPTS:
            return await self._jobs.requeue(job.id, crashed=True)
        log.error("a job is not painted again", job=job.id, user=job.user_id, reason=reason)
        await self._fail(job.id, reason, Failure.WORKER_LOST)
        return None

    def _tick(self) -> None:
        """Rescan periodically, and restart a worker that sends nothing while it should paint."""
        now = self._monotonic()
        late = max(0.0, now - self._looked_at - _POLL_SECONDS)  # this process stood still, and heard nobody
        self._looked_at, self._heard_at = now, min(now, self._heard_at + late)
        self._count_busy_time()
        silent = now - self._heard_at
        if len(self._running) and silent > self._stall_seconds:
            self._heard_at = now
            self._executor.restart(f"the worker sent nothing for {silent:.0f} s")
        self._thorough = True
        self.wake()
        self._poll = self._later(_POLL_SECONDS, self._tick)
