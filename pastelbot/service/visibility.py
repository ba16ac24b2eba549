"""Visibility: finds the job of a picture for a user who may see it, by its id or by a message that shows it."""

from pastelbot.errors import NotAllowedError, NotFoundError
from pastelbot.records import Actor, Job
from pastelbot.rules.visibility import may_see, may_see_shared
from pastelbot.service.access import AccessPolicy
from pastelbot.store.gallery import GalleryStore
from pastelbot.store.jobs.store import JobStore


class Visibility:
    """The only way from what a user names to a job. Server, channel and the mark of adult pictures are checked."""

    def __init__(self, access: AccessPolicy, jobs: JobStore, gallery: GalleryStore) -> None:
        self._access = access
        self._jobs = jobs
        self._gallery = gallery

    async def job(self, actor: Actor, job_id: str) -> Job:
        """Return a job; raises NotFoundError where the user may not see it, too, and NotAllowedError for its place."""
        job = await self._jobs.get(job_id)
        if job is None or not may_see(job, actor):
            raise NotFoundError("This picture is no longer known: paint it again with /imagine.")
        self._check_adult(job, actor)
        return job

    async def shown_in(self, actor: Actor, message_id: int) -> Job | None:
        """Return the job that a message shows, as its own or as a post of the gallery.

        None where there is none, or none that the user may see; raises NotAllowedError for its place.
        """
        entry = await self._gallery.by_message(message_id)
        if entry is not None:
            visible = may_see_shared(actor, guild_id=entry.guild_id, adult=entry.adult)
            return await self._jobs.get(entry.job_id) if visible else None
        job = await self._jobs.by_message(message_id)
        if job is None or not may_see(job, actor):
            return None
        self._check_adult(job, actor)
        return job

    def _check_adult(self, job: Job, actor: Actor) -> None:
        if job.options.adult_allowed and not self._access.adult_allowed(actor):
            raise NotAllowedError("That picture was painted in an age-restricted channel: use it in such a channel.")
