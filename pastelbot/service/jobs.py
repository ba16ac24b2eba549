"""Use cases about jobs: submit, vary, cancel, delete, and what can be asked about them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pastelbot import policy
from pastelbot.config import Settings
from pastelbot.drafting import Wish, draft, usual_hires
from pastelbot.errors import NotFoundError, RequestError
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.names import upscaler_files
from pastelbot.prompt.infotext import ReadRequest, read_request
from pastelbot.records import Asker, GenerationRequest, Job, JobOptions, JobStatus, ReplyTarget
from pastelbot.service.house import House, Terms
from pastelbot.store.jobs import JobStore, StoredPicture
from pastelbot.store.picture_files import PictureFiles


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A job that was taken in, and its place in line."""

    job: Job
    position: int


@dataclass(frozen=True, kw_only=True)
class QuotaState:
    """A person's day: `limit` 0 is none."""

    used: int
    limit: int


class Service:
    """Submit, vary, cancel, delete, and what can be asked about them."""

    def __init__(
        self,
        settings: Settings,
        jobs: JobStore,
        dispatcher: Dispatcher,
        house: House,
        files: PictureFiles,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self._house = house
        self._jobs = jobs
        self._files = files
        self._dispatcher = dispatcher
        self._clock = clock

    async def draft(self, asker: Asker, wish: Wish) -> GenerationRequest:
        """Complete a wish with the defaults that hold for this person here, and check it; raises RequestError."""
        request = draft(wish, self.settings, random_seed=random_seed)
        await self._check(asker, request)
        return request

    async def _check(self, asker: Asker, request: GenerationRequest) -> Terms:
        terms = await self._house.terms(asker)
        models = upscaler_files(self.settings.checkpoint.upscalers)
        policy.check_request(request, terms.limits, upscaler_models=models)
        return terms

    async def recreate(self, asker: Asker, infotext: str) -> tuple[GenerationRequest, list[str]]:
        """Return what an infotext asks for, and sentences about what will differ; raises RequestError."""
        read = read_request(infotext)
        if set(read.missing) >= {"Steps", "Sampler", "Seed"}:
            raise RequestError(
                "This is no infotext: it must have a line such as "
                "`Steps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 448x640`."
            )
        await self._check(asker, read.request)
        notes = [f"It does not say {name}; the usual value is taken." for name in read.missing]
        return read.request, [*self._other_checkpoint(read), *notes, *read.notes]

    def _other_checkpoint(self, read: ReadRequest) -> list[str]:
        ours = self._dispatcher.checkpoint
        if ours is None or not read.checkpoint_hash or ours.checkpoint_hash.startswith(read.checkpoint_hash[:10]):
            return []
        theirs = f"{read.checkpoint} ({read.checkpoint_hash})".strip()
        return [f"It was painted with {theirs}; here {ours.checkpoint} ({ours.checkpoint_hash}) paints."]

    def with_hires(self, request: GenerationRequest) -> GenerationRequest:
        """Return the request with the operator's usual hires fix for its size."""
        return request.replace(hires=usual_hires((request.width, request.height), self.settings))

    async def submit(
        self, asker: Asker, request: GenerationRequest, reply: ReplyTarget, options: JobOptions | None = None
    ) -> Queued:
        """Queue a request durably; raises RequestError, and then nothing was charged."""
        terms = await self._check(asker, request)
        job = await self._jobs.insert(
            asker.user_id,
            request,
            reply,
            now=self._clock(),
            daily_limit=terms.pictures_per_day,
            waiting_limit=terms.limits.waiting_per_user,
            options=options,
        )
        position = await self._dispatcher.position(job.id)
        self._dispatcher.wake()
        return Queued(job=job, position=position)

    async def job(self, job_id: str) -> Job:
        """Return the job; raises NotFoundError."""
        job = await self._jobs.get(job_id)
        if job is None:
            raise NotFoundError("This picture is not known any more: paint it again with /imagine.")
        return job

    async def cancel(self, job_id: str, asker: Asker) -> Job:
        """End a job that waits or is painted, and refund it."""
        job = await self.job(job_id)
        policy.check_owner(job, asker)
        ended = None
        if job.status in (JobStatus.QUEUED, JobStatus.LEASED):
            ended = await self._jobs.end(job_id, JobStatus.CANCELLED, now=self._clock())
        if ended is None:
            refunded = job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
            raise NotFoundError(
                "There is nothing left to cancel: "
                + ("it has ended already. Not charged." if refunded else "it is painted already, and charged.")
            )
        self._dispatcher.drop(ended)
        return ended

    async def delete(self, job_id: str, asker: Asker) -> None:
        """Remove a job's pictures from the disk and the database, ending it first if need be."""
        job = await self.job(job_id)
        policy.check_owner(job, asker)
        ended = await self._jobs.end(job_id, JobStatus.CANCELLED, now=self._clock())
        if ended is not None:
            self._dispatcher.drop(ended)
        await self._files.drop(await self._jobs.forget_pictures(job_id))

    async def pictures(self, job_id: str) -> list[tuple[StoredPicture, Path]]:
        """Return the job's pictures with the paths of their files; those of files swept away lead nowhere."""
        return [(picture, self._files.path(picture)) for picture in await self._jobs.pictures(job_id)]

    async def overview(self) -> tuple[list[Job], list[Job]]:
        """Return the jobs being painted and the jobs in line, in order."""
        return await self._dispatcher.overview()

    async def quota(self, asker: Asker) -> QuotaState:
        """Return what the person has used today."""
        terms = await self._house.terms(asker)
        used = await self._jobs.used(asker.user_id, now=self._clock())
        return QuotaState(used=used, limit=terms.pictures_per_day)

    async def set_message(self, job_id: str, message_id: int) -> None:
        """Remember which message shows the job."""
        await self._jobs.set_message(job_id, message_id)

    async def posted(self, job_id: str, message_id: int) -> None:
        """Record that Discord has the pictures in that message, and settle the job."""
        await self._jobs.posted(job_id, message_id)
        await self._jobs.done(job_id, now=self._clock())

    async def undeliverable(self, job_id: str, reason: str) -> None:
        """Fail a job whose pictures nobody can be shown, and refund it."""
        ended = await self._jobs.end(job_id, JobStatus.FAILED, now=self._clock(), reason=reason)
        if ended is not None:
            self._dispatcher.drop(ended)


def random_seed() -> int:
    """Return any seed."""
    return secrets.randbelow(policy.MAX_SEED + 1)
