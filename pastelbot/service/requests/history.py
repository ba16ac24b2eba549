"""History: earlier pictures of the bot to start from, the user's own and those visible to all."""

import asyncio
from dataclasses import dataclass

from pastelbot.errors import NotFoundError
from pastelbot.records import Actor, Job, JobStatus
from pastelbot.rules.picture_names import PictureName, picture_name, read_picture_name
from pastelbot.service.visibility import Visibility
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles, read_picture

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

    @property
    def prompt(self) -> str:
        """Return what it shows."""
        return self.job.request.of_picture(self.number - 1).prompt


class PictureHistory:
    """Finds pictures that are still on the disk."""

    def __init__(self, jobs: JobStore, files: PictureFiles, visibility: Visibility) -> None:
        self._jobs = jobs
        self._files = files
        self._visibility = visibility

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
        named = read_picture_name(name)
        job = await self._job(actor, named) if named is not None else None
        if named is None or job is None or job.status is not JobStatus.DONE or job.withheld:
            raise NotFoundError(_UNKNOWN)
        stored = [picture for picture in await self._jobs.pictures(job.id) if picture.number == named.number]
        if not stored or not stored[0].file:
            raise NotFoundError("That picture is no longer kept: attach it as init instead.")
        try:
            return job, await asyncio.to_thread(read_picture, self._files.path(stored[0]))
        except OSError as error:
            raise NotFoundError("That picture is no longer kept: attach it as init instead.") from error

    async def _job(self, actor: Actor, named: PictureName) -> Job | None:
        """Return the job of a picture that the user may see."""
        if named.job_id is None:
            return await self._visibility.shown_in(actor, named.message_id or 0)
        try:
            return await self._visibility.job(actor, named.job_id)
        except NotFoundError:
            return None
