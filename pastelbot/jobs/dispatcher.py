"""Dispatcher: sends queued jobs to the executor, has their outcomes recorded, and publishes updates.

Everything that takes time passes one mailbox, item by item, so no two steps of this module run at the same time and
none of it needs a lock. Joining and leaving the queue is immediate. An item whose database or disk fails is handled
again from its beginning, so each of them changes what is in memory only after its transaction.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from pastelbot.errors import PastelError, StorageFullError, StoreError
from pastelbot.jobs.background import CallLater, Mailbox, call_later
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.known_workers import KnownWorkers
from pastelbot.jobs.observer import Failure, NoObserver, Observer
from pastelbot.jobs.outcomes import ATTEMPTS, Outcomes
from pastelbot.jobs.painting_clock import PaintingClock
from pastelbot.jobs.queue.positions import Place
from pastelbot.jobs.queue.throughput import KeyValues, Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.jobs.running import RunningJobs
from pastelbot.jobs.waiting_jobs import Overview, WaitingJobs
from pastelbot.records import (
    BeingPainted,
    Cancel,
    CheckpointLoaded,
    Ended,
    Event,
    Job,
    JobStatus,
    Load,
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
    WorkerUnloaded,
)
from pastelbot.rules import cost
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

_POLL_SECONDS = 15.0
_WATCHED = 100  # queue positions that are checked after every event

log = structlog.get_logger(__name__)


async def _never_short() -> bool:
    return False


class _Rescan:
    """Mailbox item: dispatch what may run now, and publish the positions that have changed."""


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """How many jobs run and wait, whether a worker accepts jobs, and why nothing is painted, "" where it is.

    `unloaded`: there is no worker because there is nothing to do, and the next job loads one.
    """

    running: int
    waiting: int
    ready: bool
    interruption: str
    unloaded: bool = False


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
        self._stall_seconds = stall_seconds
        self._clock, self._later, self._monotonic = clock, later, monotonic
        self._listener: Callable[[Update], None] = lambda _update: None
        self._is_short_of_space = is_short_of_space or _never_short
        self._observer: Observer = observer or NoObserver()
        self._running = running if running is not None else RunningJobs()
        self._throughput = Throughput(notes, monotonic=monotonic)
        self._painting_clock = PaintingClock(epoch=clock().timestamp(), monotonic=monotonic)
        self._workers = KnownWorkers(monotonic)
        self._waiting = WaitingJobs(
            jobs,
            queue if queue is not None else WaitQueue(epoch=clock().timestamp()),
            self._throughput,
            self._running,
            at_once=at_once,
            clock=clock,
            painting_clock=self._painting_clock,
            load_time=self._workers.load_time,
        )
        self._outcomes = Outcomes(
            jobs, files, self._waiting, self._running, self._throughput, self._observer, clock, self._publish
        )
        self._looking = self._thorough = False
        self._mailbox: Mailbox[Event | Job | _Rescan] = Mailbox(self._handle, later=later)
        self._poll: asyncio.TimerHandle | None = None

    async def start(self, publish: Callable[[Update], None]) -> None:
        """Recover what an earlier process left behind, then start the worker."""
        self._listener = publish
        await self._throughput.load()
        for job in await self._jobs.with_status(JobStatus.LEASED):
            await self._outcomes.paint_again(job, "the bot stopped while this was painted, twice")
        for job in await self._jobs.with_status(JobStatus.POSTED):
            await self._jobs.done(job.id, now=self._clock())
        await self._waiting.fill()
        for job in await self._jobs.with_status(JobStatus.RENDERED):
            self._publish(Rendered(job=job))
        self._workers.load_time.begin()
        self._executor.start(self._receive)
        self._tick()

    def add(self, job: Job) -> None:
        """Add a job that the database has queued to the wait queue."""
        self._waiting.add(job)
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
        self._waiting.leave(job_id)
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
        if job is None or job.attempts + 1 >= ATTEMPTS:
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
        return self._waiting.place(job_id)

    @property
    def checkpoint(self) -> WorkerReady | None:
        """Return the worker's default checkpoint, as it reported it; None before the first one is ready."""
        return self._workers.checkpoint

    @property
    def loaded(self) -> Mapping[str, CheckpointLoaded]:
        """Return the other checkpoints in memory, by their configured names."""
        return self._workers.loaded

    @property
    def state(self) -> QueueState:
        """Return how the queue stands."""
        return QueueState(
            running=len(self._running),
            waiting=len(self._waiting),
            ready=self._waiting.workers > 0,
            interruption=self._waiting.interruption,
            unloaded=self._workers.unloaded > 0 and not self._waiting.workers,
        )

    async def overview(self, *, most: int = 20) -> Overview:
        """Return the running jobs and the first queued ones."""
        overview = await self._waiting.overview(most=most)
        return replace(overview, unloaded=self.state.unloaded)

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
        self._painting_clock.hear()
        if isinstance(event, WorkerLost):
            self._observer.worker_lost(event)
        self._count_time(busy=not isinstance(event, Loading))
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
                self._workers.note_loading(item)
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
        if thorough:
            await self._waiting.compare()
            self._note_space(short=await self._is_short_of_space())
        if not self._waiting.pauses:
            await self._dispatch()
            self._load_for_waiting()
        await self._refresh_positions(len(self._waiting) if thorough else _WATCHED)

    def _note_space(self, *, short: bool) -> None:
        """Pause while the disk is full: what is running is finished and kept, and nothing more is begun."""
        if short and not self._waiting.pauses:
            log.warning("painting pauses: the disk is full")
        elif self._waiting.pauses and not short:
            log.info("painting goes on: the disk has space again")
        self._waiting.interrupt(no_space="⚠️ Painting is interrupted: the disk of the bot is full." if short else "")

    async def _on_event(self, event: Event) -> None:
        match event:
            case WorkerReady():
                self._workers.note_ready(event)
                self._waiting.workers = event.workers
                self._waiting.interrupt(worker_lost="")
            case CheckpointLoaded():
                self._workers.note_checkpoint(event)
            case WorkerUnloaded():
                self._workers.note_unloaded(others=event.workers)
                self._waiting.workers = event.workers
            case WorkerLost():
                self._workers.load_time.begin()
                self._waiting.workers = event.workers
                self._waiting.interrupt(worker_lost=event.interruption)
                await self._outcomes.lost(event)
            case Painted() | PaintingFailed() | PaintingCancelled():
                await self._outcomes.take(event)

    async def _mend_slots(self) -> None:
        """Hold the slots to what the executor was given and has not reported; a difference is a bug, and is mended."""
        for job_id in self._running.abandoned():
            log.error("the worker painted what nothing waits for", job=job_id)
            self._running.reported(job_id)
            self._executor.send(Cancel(job_id=job_id))
        for one in self._running.stuck():
            log.error("a slot was held by a job that the worker has reported", job=one.job.id)
            await self._outcomes.give_back(one, "its result was lost, twice")

    def _count_time(self, *, busy: bool = True) -> None:
        """Count the time since the last event for the throughput, if something was painted in it."""
        seconds = self._painting_clock.count()
        if busy and len(self._running):
            self._throughput.busy(seconds * self._waiting.at_work)

    def _publish(self, update: Update) -> None:
        self._listener(update)

    def _let_go(self, job: Job) -> None:
        if job.id in self._running:
            self._outcomes.release(job.id)
            self._executor.send(Cancel(job_id=job.id))
        self._publish(Ended(job=job))

    def _report(self, event: Progress) -> None:
        one = self._running.get(event.job_id)
        if one is not None:
            done = cost.share_done(one.job.request, event.step, event.steps)
            self._throughput.worked(one.waiting.work * (done - one.share))
            one.share = done
            left = self._waiting.seconds_left(event.job_id)
            update = BeingPainted(job=one.job, step=event.step, steps=event.steps, preview=event.preview)
            self._publish(replace(update, seconds_left=left))

    async def _dispatch(self) -> None:
        while self._waiting.workers and (chosen := self._waiting.admitted()):
            for job in await self._jobs.lease([job.id for job in chosen], now=self._clock()):
                await self._paint(job)
            for waiting in chosen:  # given out, or ended elsewhere meanwhile
                self._waiting.leave(waiting.id)

    def _load_for_waiting(self) -> None:
        """Have one more worker loaded, where one is unloaded and jobs wait that the others have no room for."""
        if self._workers.unloaded and self._waiting.awaits_worker:
            self._workers.note_reloading(others=self._waiting.workers)
            self._executor.send(Load())

    async def _paint(self, job: Job) -> None:
        """Hand a leased job to the worker, with the picture that it starts from; where that is gone, the job fails."""
        if not len(self._running):
            self._painting_clock.begin()
        one = self._waiting.take(job)
        self._running.take(one)
        if not job.attempts:
            self._observer.given_out(waited=one.taken_at - one.waiting.created_at)
        try:
            request = await self._files.with_init(job.request)
        except PastelError as error:
            self._running.reported(job.id)
            await self._outcomes.fail(job.id, str(error), Failure.START_PICTURE)
            return
        self._executor.send(Paint(job_id=job.id, request=request, owner=job.user_id))

    async def _refresh_positions(self, depth: int) -> None:
        """Publish the positions that differ from those shown."""
        for update in await self._waiting.moved(depth):
            self._publish(update)

    def _tick(self) -> None:
        """Rescan periodically, and restart a worker that sends nothing while it should paint."""
        silent = self._painting_clock.look(every=_POLL_SECONDS)
        self._count_time()
        if len(self._running) and silent > self._stall_seconds:
            self._painting_clock.hear()
            self._executor.restart(f"the worker sent nothing for {silent:.0f} s")
        self._thorough = True
        self.wake()
        self._poll = self._later(_POLL_SECONDS, self._tick)
