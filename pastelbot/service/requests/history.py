"""History: earlier pictures of the bot to start from, the user's own and those visible to all."""

import asyncio
from dataclasses import dataclass

from pastelbot.errors import NotAllowedError, NotFoundError
from pastelbot.records import Actor, Job, JobStatus
from pastelbot.rules.picture_names import picture_name, read_picture_name
from pastelbot.service.access import AccessPolicy
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

_UNKNOWN = "There is no such picture: choose one of yours from the list, or paste the link of a message of this bot."


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A picture by the name that is offered for it; `number` counts from 1."""

    job: Job
    number: int
    seed: int

    @property
    def name(self) -> str:
        """Return what finds it again."""
        return picture_name(self.job.id, self.number - 1)


class PictureHistory:
    """Finds pictures that are still on the disk."""

    def __init__(self, jobs: JobStore, files: PictureFiles, access: AccessPolicy) -> None:
        self._jobs = jobs
        self._files = files
        self._access = access

    async def offers(self, actor: Actor, *, most: int) -> list[Earlier]:
        """Return the person's newest pictures that they may start from here."""
        found = []
        for job in await self._jobs.newest_done(actor.user_id, actor.guild_id, most):
            stored = await self._jobs.pictures(job.id)
            found += [
                Earlier(job=job, number=picture.number + 1, seed=picture.seed) for picture in stored if picture.file
            ]
        return found[:most]

    async def open(self, actor: Actor, name: str) -> tuple[Job, bytes]:
        """Return a picture's job and its file's content; raises RequestError where it cannot be had here.

        `name` is one that was offered, or the link or number of a message that shows a picture.
        """
        named, job = read_picture_name(name), None
        if named is not None and named.job_id is not None:
            job = await self._jobs.get(named.job_id)
        elif named is not None and named.message_id is not None:
            job = await self._jobs.shown_in(named.message_id)
        if named is None or job is None or not _may_see(job, actor):
            raise NotFoundError(_UNKNOWN)
        policy = await self._access.preview(actor)  # whether they may ask now is checked with what they ask for
        if job.options.adult_allowed and not policy.content.adult_allowed:
            raise NotAllowedError(
                "That picture was painted in an age-restricted channel: start from it in such a channel."
            )
        stored = [picture for picture in await self._jobs.pictures(job.id) if picture.number == named.number]
        if not stored or not stored[0].file:
            raise NotFoundError("That picture is no longer kept: attach it as init instead.")
        try:
            return job, await asyncio.to_thread(self._files.path(stored[0]).read_bytes)
        except OSError as error:
            raise NotFoundError("That picture is no longer kept: attach it as init instead.") from error


def _may_see(job: Job, actor: Actor) -> bool:
    """Return whether the job is the user's own, or shown to all users of the server where they ask."""
    if job.status is not JobStatus.DONE or job.withheld:
        return False
    here = job.reply is not None and job.reply.guild_id is not None and job.reply.guild_id == actor.guild_id
    return job.user_id == actor.user_id or (here and not job.options.private)
