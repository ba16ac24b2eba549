"""Submission: submit, vary, cancel and delete jobs, and look them up."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from pastelbot.errors import NotFoundError, RepeatedError
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.waiting_jobs import Overview
from pastelbot.records import ON_PAGE, Actor, Job, JobStatus, ReplyTarget, WorkerReady
from pastelbot.rules import limits
from pastelbot.rules.visibility import check_may_manage
from pastelbot.service.audit import AuditTrail
from pastelbot.service.models.models import Models
from pastelbot.service.requests.checking import Checked, RequestChecker
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.stored_pictures import StoredPicture

_ROOM = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A submitted job, its queue position (0: it no longer waits), and its estimated time of completion.

    `interruption` says why nothing is painted now, if that is so.
    A `repeated` one was queued before, when Discord delivered the same interaction for the first time.
    """

    job: Job
    position: int
    ready_at: datetime | None = None
    interruption: str = ""
    repeated: bool = False


class JobService:
    """Submit, vary, cancel, delete, and what can be asked about them."""

    def __init__(
        self,
        jobs: JobStore,
        dispatcher: Dispatcher,
        checker: RequestChecker,
        audit: AuditTrail,
        files: PictureFiles,
        models: Models,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._models = models
        self._checker = checker
        self._audit = audit
        self._jobs = jobs
        self._files = files
        self._dispatcher = dispatcher
        self._clock = clock

    @property
    def checkpoint(self) -> WorkerReady | None:
        """Return what the worker said about its checkpoint; None while it is starting."""
        return self._dispatcher.checkpoint

    async def submit(
        self, checked: Checked, targets: Sequence[ReplyTarget], *, interaction_id: int | None = None
    ) -> list[Queued]:
        """Queue checked requests durably, a target for each, all or nothing, and once for each interaction.

        Raises RequestError, and then nothing was charged. What is private is checked once more where its place changes.
        """
        if checked.options.private:
            checked = await self._checker.for_direct_message(checked)
        policy = checked.policy
        requests = [self._models.pinned(request) for request in checked.requests]
        try:
            async with self._files.keeping_inits(requests):
                jobs = await self._jobs.insert(
                    checked.actor.user_id,
                    list(zip(requests, targets, strict=True)),
                    now=self._clock(),
                    allowance=policy.allowance,
                    waiting_limit=policy.limits.waiting_per_user,
                    options=replace(checked.options, adult_allowed=policy.content.adult_allowed),
                    interaction_id=interaction_id,
                )
        except RepeatedError:
            return [self._queued(job, repeated=True) for job in await self._jobs.asked_by(interaction_id)]
        for job in jobs:
            self._dispatcher.add(job)
        return [self._queued(job) for job in jobs]

    def _queued(self, job: Job, *, repeated: bool = False) -> Queued:
        place = self._dispatcher.place(job.id)
        if place is None:
            return Queued(job=job, position=0, repeated=repeated)
        return Queued(
            job=job,
            position=place.position,
            ready_at=place.ready_at,
            interruption=place.interruption,
            repeated=repeated,
        )

    def waited(self, job: Job) -> float:
        """Return the seconds since the job was asked for."""
        return (self._clock() - job.created_at).total_seconds()

    async def job(self, job_id: str) -> Job:
        """Return the job; raises NotFoundError."""
        job = await self._jobs.get(job_id)
        if job is None:
            raise NotFoundError("This picture is no longer known: paint it again with /imagine.")
        return job

    async def kept_messages(self, before: int | None, *, limit: int) -> list[ReplyTarget]:
        """Return the messages below a number that show stored pictures, the newest first."""
        return await self._jobs.kept_messages(before, limit=limit)

    async def last_of(self, user_id: int) -> Job:
        """Return the job of a person's newest picture; raises NotFoundError where there is none."""
        job = await self._jobs.last_done(user_id)
        if job is None:
            raise NotFoundError("You have no finished picture yet: paint one with /imagine first.")
        return job

    async def cancel(self, job_id: str, actor: Actor) -> Job:
        """End a job that waits or is painted, and refund it."""
        job = await self.job(job_id)
        check_may_manage(job, actor)
        ended = None
        if job.status in (JobStatus.QUEUED, JobStatus.LEASED) or job.withheld:
            ended = await self._dispatcher.end(job_id, JobStatus.CANCELLED, forget_pictures=True)
        if ended is None:
            refunded = job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
            if refunded:
                raise NotFoundError("There is nothing left to cancel: it has ended already. Not charged.")
            raise NotFoundError("There is nothing left to cancel: it is painted already, and charged.")
        if job.user_id != actor.user_id:
            await self._audit.record_job(actor, "cancel", job)
        return ended

    async def end_elsewhere(self, guild_ids: Collection[int]) -> None:
        """Cancel and refund what waits or is painted for servers other than these, which the bot has left."""
        for job_id in await self._jobs.unfinished_elsewhere({*guild_ids, ON_PAGE}):
            reason = "the bot was removed from the server"
            if await self._dispatcher.end(job_id, JobStatus.CANCELLED, reason=reason) is not None:
                log.info("cancelled", job=job_id, reason=reason)

    async def delete(self, job_id: str, actor: Actor) -> None:
        """Remove a job's pictures from the disk and the database, ending it first if need be; its message goes too."""
        job = await self.job(job_id)
        check_may_manage(job, actor)
        await self._dispatcher.end(job_id, JobStatus.CANCELLED)
        await self._jobs.erase_message(job_id)
        await self._files.drop(await self._jobs.forget_pictures(job_id))
        if job.user_id != actor.user_id:
            await self._audit.record_job(actor, "delete", job)

    async def pictures(self, job_id: str) -> list[tuple[StoredPicture, Path]]:
        """Return the job's pictures with the paths of their files; those of files swept away lead nowhere."""
        return [(picture, self._files.path(picture)) for picture in await self._jobs.pictures(job_id)]

    async def overview(self) -> Overview:
        """Return the jobs being painted and the first in the queue, in order."""
        return await self._dispatcher.overview()

    async def set_message(self, job_id: str, message_id: int) -> None:
        """Remember which message shows the job."""
        await self._jobs.set_message(job_id, message_id)

    async def set_ready_message(self, job_id: str, message_id: int) -> None:
        """Remember which message told the owner that the job is done."""
        await self._jobs.set_ready_message(job_id, message_id)

    async def is_last(self, job: Job) -> bool:
        """Return whether nothing else of a finished job's owner waits or is painted."""
        return not await self._jobs.has_unfinished(job.user_id)

    async def posted(self, job_id: str, message_id: int | None) -> None:
        """Record that Discord has the pictures in that message, None where the bot is not, and settle the job."""
        await self._jobs.posted(job_id, message_id)
        await self._jobs.done(job_id, now=self._clock())

    async def on_page(self, user_id: int, *, most: int) -> list[Job]:
        """Return a person's jobs that the web page shows, in any state, the newest first."""
        return await self._jobs.on_page(user_id, most=most)

    async def shown_on_page(self, job_id: str) -> None:
        """Settle a painted job whose owner can see its pictures on the web page from now on."""
        await self._jobs.posted(job_id, None)
        await self._jobs.done(job_id, now=self._clock())

    async def ends_not_shown(self) -> list[Job]:
        """Return the jobs that failed or were cancelled, and whose message does not say so."""
        return await self._jobs.ends_not_shown()

    async def end_shown(self, job_id: str) -> None:
        """Record that the job's message says how it ended, or can not."""
        await self._jobs.end_shown(job_id)

    async def pictures_lost(self, job_id: str) -> None:
        """Have a job painted again whose picture files are gone or damaged; the second time it fails."""
        await self._dispatcher.pictures_lost(job_id, "its picture has vanished from the disk")

    async def undeliverable(self, job_id: str, reason: str) -> None:
        """Fail a job whose pictures cannot be shown, and refund it."""
        await self._dispatcher.end(job_id, JobStatus.FAILED, reason=reason)


def random_seed() -> int:
    """Return any seed that has room behind it for those of more pictures."""
    return secrets.randbelow(limits.MAX_SEED - _ROOM)
