"""Routes of a user's jobs: a stream of how they stand, and what can be done with them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import JobStatus
from pastelbot.service.page.page_jobs import JobView
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.store.stored_pictures import StoredPicture
from pastelbot.web import fragments
from pastelbot.web.painting import answer
from pastelbot.web.visits import COOKIE, Visits

_BETWEEN = 0.25  # seconds between two looks at the same jobs
_HISTORY = 24


class JobRoutes:
    """Everything about the jobs of the user who asks; others' are not there for them."""

    def __init__(self, services: Services, languages: Languages, visits: Visits) -> None:
        self._services = services
        self._languages = languages
        self._visits = visits

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/me", self.me)
        app.add_route("/events", self.events)
        app.add_route("/history", self.history)
        app.add_route("/jobs/{job_id}/cancel", self.cancel, methods=["POST"])
        app.add_route("/jobs/{job_id}/delete", self.delete, methods=["POST"])
        app.add_route("/plans/{plan_id}/{said}", self.answer, methods=["POST"])

    async def me(self, request: Request) -> Response:
        """Return the head of the page."""
        visitor = visitor_of(request)
        signed_in = bool(await self._services.sign_in.visitor(request.cookies.get(COOKIE, "")))
        return HTMLResponse(
            fragments.header(visitor, self._translator(request), locale_in(request), signed_in=signed_in)
        )

    async def events(self, request: Request) -> Response:
        """Stream how the user's jobs stand, until the browser leaves or is signed out."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(request), media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        visitor, translate, sent = visitor_of(request), self._translator(request), ""
        async with contextlib.aclosing(self._services.page_jobs.follow(visitor.actor.user_id)) as followed:
            async for views in followed:
                if await self._visits.find(request.cookies) is None:
                    return
                shown = fragments.jobs_panel([await self._with_pictures(view) for view in views], translate)
                done = next((view.job.id for view in views if view.job.status.ended), "")
                text = json.dumps({"html": shown, "done": done})
                yield "data: " + text + "\n\n" if text != sent else ":\n\n"  # a line without an event keeps it open
                sent = text
                await asyncio.sleep(_BETWEEN)

    async def _with_pictures(self, view: JobView) -> tuple[JobView, list[StoredPicture]]:
        if view.job.status is not JobStatus.DONE:
            return view, []
        return view, [picture for picture, _path in await self._services.jobs.pictures(view.job.id)]

    async def history(self, request: Request) -> Response:
        """Return the user's newest pictures, `pages` times as many as fit."""
        pages = min(20, max(1, number_in(request.query_params.get("pages"))))
        found = await self._services.history.offers(visitor_of(request).actor, most=pages * _HISTORY + 1)
        shown = [(each.job.id, each.number - 1, each.seed, each.prompt) for each in found]
        translate = self._translator(request)
        content = fragments.thumbnails(shown[: pages * _HISTORY], translate)
        more = f'<button data-load="/history?pages={pages + 1}">{translate("Show more")}</button>'
        return HTMLResponse(content + (more if len(shown) > pages * _HISTORY else ""))

    async def cancel(self, request: Request) -> Response:
        """Cancel a job that waits or is painted."""
        visitor = self._pressing(request)
        await self._services.jobs.cancel(request.path_params["job_id"], visitor.actor)
        return JSONResponse({})

    async def delete(self, request: Request) -> Response:
        """Delete a job's pictures."""
        visitor = self._pressing(request)
        await self._services.jobs.delete(request.path_params["job_id"], visitor.actor)
        self._services.page_jobs.changed(visitor.actor.user_id)
        return JSONResponse({})

    async def answer(self, request: Request) -> Response:
        """Paint what was asked about, or drop it."""
        visitor, asked = self._pressing(request), request.path_params
        queued = await answer(self._services, visitor, asked["plan_id"], said=asked["said"], locale=locale_in(request))
        text = "It is queued." if queued else "Nothing is painted, and nothing was charged."
        return JSONResponse({"notice": self._translator(request)(text)})

    def _pressing(self, request: Request) -> Visitor:
        visitor = visitor_of(request)
        self._services.rates.spend(visitor.actor.user_id, Kind.BUTTON)
        return visitor

    def _translator(self, request: Request) -> Translate:
        return self._languages.translator(locale_in(request))


def visitor_of(request: Request) -> Visitor:
    """Return the user whom the guard has let in."""
    visitor: Visitor = request.state.visitor
    return visitor


def locale_in(request: Request) -> str:
    """Return the language of the page that asks."""
    return "ja" if request.query_params.get("language") == "ja" else "en"


def number_in(text: str | None) -> int:
    """Return a number of an address, 0 where there is none."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 6 else 0
