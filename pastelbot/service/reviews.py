"""Age gate for finished pictures: which are shown, withheld for review, or never shown.

A job whose pictures are withheld stays `rendered`; its review is a part of its row. Nothing is shown but what was
found harmless, or what a moderator approved: whatever goes wrong here withholds.
"""

import enum
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import structlog

from pastelbot.config import Settings
from pastelbot.errors import NotAllowedError, NotFoundError
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.records import RATINGS, Actor, Job, JobStatus
from pastelbot.service import server_rules
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.moderation.reviews import Review, ReviewStore
from pastelbot.store.settings import Scope, SettingsStore
from pastelbot.store.stored_pictures import StoredPicture

_REFUSED = "it was rated as adult, and this is not an age-restricted channel"
_UNRATED = "it could not be rated, and this is not an age-restricted channel"
_REJECTED = "a moderator looked at it and decided not to show it"
_UNASKED = "it was withheld for a moderator, and the message in which they were asked was deleted"
_OVERDUE = "it was withheld for a moderator, and none decided about it in time"

log = structlog.get_logger(__name__)


class Verdict(enum.Enum):
    """What to do with a finished job's pictures."""

    SHOW = enum.auto()
    WITHHOLD = enum.auto()  # a moderator is asked
    REFUSE = enum.auto()  # the job is over


class Reviews:
    """Judges finished jobs, and takes down what moderators decide."""

    def __init__(
        self,
        settings: Settings,
        store: ReviewStore,
        jobs: JobStore,
        access: AccessPolicy,
        audit: AuditTrail,
        dispatcher: Dispatcher,
        servers: SettingsStore,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._access = access
        self._audit = audit
        self._dispatcher = dispatcher
        self._servers = servers
        self._clock = clock

    async def judge(self, job: Job) -> Verdict:
        """Decide about a rendered job; where its pictures are refused, it has ended and is refunded."""
        review = await self._store.get(job.id)
        if review.state == "approved":
            return Verdict.SHOW
        if review.state == "open":
            return Verdict.WITHHOLD
        if review.state == "rejected":
            return await self._refuse(job, _REJECTED)
        adult = await self._why_not(job)
        if adult is None:
            return Verdict.SHOW
        if await self.mod_channel(job) is None:
            return await self._refuse(job, adult)
        await self._store.open(job.id, now=self._clock())
        log.info("withheld", job=job.id)
        return Verdict.WITHHOLD

    async def review(self, job: Job) -> Review:
        """Return how the job's review stands."""
        return await self._store.get(job.id)

    async def mod_channel(self, job: Job) -> int | None:
        """Return the channel in which the moderators of the job's server are asked."""
        if job.reply is None or job.reply.guild_id is None:
            return None
        return server_rules.whole(
            (await self._servers.all(Scope.GUILD, job.reply.guild_id)).get(server_rules.MOD_CHANNEL)
        )

    async def asked(self, job: Job, *, channel_id: int, message_id: int) -> None:
        """Remember the message in which moderators are asked."""
        await self._store.asked(job.id, channel_id=channel_id, message_id=message_id)

    async def end_unasked(self, job: Job) -> None:
        """End a job about which moderators cannot be asked."""
        await self._store.decide(job.id, "rejected")
        await self._refuse(job, _REFUSED)

    async def approve(self, job: Job, actor: Actor) -> None:
        """Let a withheld job's pictures be shown; raises NotAllowedError, or NotFoundError where it is too late."""
        await self._decide(job, actor, "approved")

    async def reject(self, job: Job, actor: Actor) -> None:
        """Delete a withheld job's pictures and refund it; raises as `approve` does."""
        await self._decide(job, actor, "rejected")
        await self._refuse(job, _REJECTED)

    async def expire(self) -> None:
        """Reject what no moderator has decided about in time."""
        days = self._settings.moderation.review_days
        if not days:
            return
        for job_id in await self._store.overdue(before=self._clock() - timedelta(days=days)):
            job = await self._jobs.get(job_id)
            if job is not None:
                await self._refuse(job, _OVERDUE)

    async def question_deleted(self, *, message_id: int | None = None, channel_id: int | None = None) -> None:
        """Reject reviews that can no longer be decided: the message that asked, or its channel, was deleted."""
        for job_id in await self._store.open_in(message_id=message_id, channel_id=channel_id):
            job = await self._jobs.get(job_id)
            if job is not None and await self._store.decide(job_id, "rejected"):
                await self._refuse(job, _UNASKED)

    async def is_adult(self, job: Job, picture: StoredPicture) -> bool:
        """Return whether a picture is for age-restricted channels, by rating and tags; raises where it is withheld.

        Without the tagger no picture has a rating: then one that was painted in such a channel stays there.
        """
        review = await self._store.get(job.id)
        if review.state in ("open", "rejected"):
            raise NotAllowedError("This picture is withheld until a moderator has looked at it.")
        if review.state == "approved":
            return False
        actor = Actor(user_id=job.user_id, guild_id=job.reply.guild_id if job.reply is not None else None)
        unrated = picture.rating is None and not self._rates
        adult = job.options.adult_allowed if unrated else self._is_adult(picture.rating)
        return adult or await self._access.adult_word(actor, job.request) is not None

    def previews_allowed(self, job: Job) -> bool:
        """Return whether half-done pictures may be shown: not where a rating could withhold the finished one."""
        return job.options.adult_allowed or not self._rates

    async def _why_not(self, job: Job) -> str | None:
        """Return why the pictures may not be shown just so, or None."""
        if job.options.adult_allowed:
            return None
        pictures = await self._jobs.pictures(job.id)
        if any(picture.rating in self._settings.moderation.adult_ratings for picture in pictures):
            return _REFUSED
        return _UNRATED if any(self._is_adult(picture.rating) for picture in pictures) else None

    def _is_adult(self, rating: str | None) -> bool:
        """Return whether a rating is adult; one that is not known, failed or is missing counts as such.

        Without the tagger no picture has a rating, and the rules about tags are all there is.
        """
        if rating is None:
            return self._rates
        return rating not in RATINGS or rating in self._settings.moderation.adult_ratings

    @property
    def _rates(self) -> bool:
        return self._settings.tagger.enabled and self._settings.tagger.rate_pictures

    async def _decide(self, job: Job, actor: Actor, state: Literal["approved", "rejected"]) -> None:
        if job.reply is None or actor.guild_id is None or job.reply.guild_id != actor.guild_id:
            raise NotAllowedError("This picture belongs to another server.")
        await self._access.check_reviewer(actor)
        if not await self._store.decide(job.id, state):
            raise NotFoundError("There is nothing left to decide: it was decided, withdrawn or deleted already.")
        await self._audit.record_job(actor, state, job)

    async def _refuse(self, job: Job, reason: str) -> Verdict:
        if await self._dispatcher.end(job.id, JobStatus.FAILED, reason=reason, forget_pictures=True) is not None:
            log.info("not shown", job=job.id, reason=reason)
        return Verdict.REFUSE
