"""Jobs of the web page: settled as soon as their pictures may be seen, and followed by those who look at the page."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, replace

from pastelbot.jobs.background import Mailbox
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.records import BeingPainted, Ended, InLine, Job, JobStatus, Rendered, Update
from pastelbot.service.requests.submission import JobService
from pastelbot.service.reviews import Reviews, Verdict

_LOOK_SECONDS = 5.0
_MOST = 40


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job as it stands: its row, the newest update of it, and the newest preview."""

    job: Job
    update: Update | None = None
    preview: bytes | None = None


class PageJobs:
    """Takes the dispatcher's updates of the page's jobs. What must be kept is in the database alone."""

    def __init__(self, jobs: JobService, reviews: Reviews, dispatcher: Dispatcher) -> None:
        self._jobs = jobs
        self._reviews = reviews
        self._dispatcher = dispatcher
        self._views: dict[str, JobView] = {}
        self._followers: dict[int, set[asyncio.Event]] = {}
        self._mailbox: Mailbox[Job] = Mailbox(self._settle)

    def publish(self, update: Update) -> None:
        """Take an update; call it from the event loop's thread. Those of jobs in Discord are left alone."""
        job = update.job
        if not job.on_page:
            return
        view = replace(self._views.get(job.id, JobView(job=job)), update=update)
        if isinstance(update, BeingPainted) and update.preview and self._reviews.previews_allowed(job):
            view = replace(view, preview=update.preview)
        self._views[job.id] = view
        if isinstance(update, Rendered):
            self._mailbox.put(job)
        elif isinstance(update, Ended):
            self._views.pop(job.id, None)
        self.changed(job.user_id)

    def changed(self, user_id: int) -> None:
        """Wake those who look at a person's jobs."""
        for changed in self._followers.get(user_id, ()):
            changed.set()

    async def follow(self, user_id: int) -> AsyncGenerator[list[JobView]]:
        """Yield a person's jobs as they stand, and again when something has changed; it never ends by itself."""
        changed = asyncio.Event()
        self._followers.setdefault(user_id, set()).add(changed)
        try:
            while True:
                changed.clear()
                yield await self.views(user_id)
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
        finally:
            self._leave(user_id, changed)

    async def views(self, user_id: int) -> list[JobView]:
        """Return a person's jobs that have not ended, and the newest one that has, the newest first."""
        jobs = await self._jobs.on_page(user_id, most=_MOST)
        newest = next((job.id for job in jobs if job.status.ended), None)
        return [self._view(job) for job in jobs if not job.status.ended or job.id == newest]

    async def close(self) -> None:
        """Return when the job in hand is settled; others are settled after the next start."""
        await self._mailbox.close()

    def _view(self, job: Job) -> JobView:
        known = self._views.get(job.id)
        view = replace(known, job=job) if known is not None else JobView(job=job)
        if job.status is JobStatus.QUEUED and not isinstance(view.update, InLine):
            view = replace(view, update=self._waiting(job))
        return view

    def _waiting(self, job: Job) -> Update | None:
        place = self._dispatcher.place(job.id)
        if place is None:
            return None
        return InLine(job=job, position=place.position, ready_at=place.ready_at, interruption=place.interruption)

    async def _settle(self, job: Job) -> None:
        """Let the owner see the pictures, or end the job: on the page there is no moderator who could be asked."""
        match await self._reviews.judge(job):
            case Verdict.SHOW:
                await self._jobs.shown_on_page(job.id)
            case Verdict.WITHHOLD:
                await self._reviews.end_unasked(job)
        self._views.pop(job.id, None)
        self.changed(job.user_id)

    def _leave(self, user_id: int, changed: asyncio.Event) -> None:
        followers = self._followers.get(user_id, set())
        followers.discard(changed)
        if not followers:
            self._followers.pop(user_id, None)
