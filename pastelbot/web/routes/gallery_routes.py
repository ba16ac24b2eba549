"""Routes of the viewer and of the gallery of the server that the user comes from."""

import asyncio

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from pastelbot.errors import NotFoundError
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import Actor, Job
from pastelbot.service.gallery import Shown
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.store.gallery import View
from pastelbot.store.picture_files import read_picture
from pastelbot.store.stored_pictures import StoredPicture
from pastelbot.web import viewing
from pastelbot.web.routes.job_routes import locale_in, number_in, visitor_of
from pastelbot.web.routes.picture_routes import picture_response

_GONE = "The picture is no longer kept."


class GalleryRoutes:
    """Looks at pictures, shares, votes. Whose pictures may be seen is the gallery's and the job service's decision."""

    def __init__(self, services: Services, languages: Languages) -> None:
        self._services = services
        self._gallery = services.gallery
        self._languages = languages

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/gallery", self.gallery)
        app.add_route("/jobs/{job_id}/view/{number:int}", self.view)
        app.add_route("/jobs/{job_id}/share/{number:int}", self.share, methods=["POST"])
        app.add_route("/shared/{entry_id:int}/picture", self.picture)
        app.add_route("/shared/{entry_id:int}/view", self.view_shared)
        app.add_route("/shared/{entry_id:int}/vote", self.vote, methods=["POST"])
        app.add_route("/shared/{entry_id:int}/unshare", self.unshare, methods=["POST"])

    async def gallery(self, request: Request) -> Response:
        """Return a page of the gallery."""
        visitor, asked = await self._looking(request), request.query_params
        view = View(asked["view"]) if asked.get("view") in set(View) else View.NEWEST
        text, upto = asked.get("text", "")[:100], asked.get("upto")
        page = await self._gallery.page(
            visitor.actor, view, number_in(asked.get("page")), text=text, upto=number_in(upto) if upto else None
        )
        return HTMLResponse(viewing.gallery(page, visitor, view, text, self._translator(request)))

    async def view(self, request: Request) -> Response:
        """Return one of the user's own pictures with its settings."""
        visitor, number = visitor_of(request), request.path_params["number"]
        job = await self._services.visibility.job(visitor.actor, request.path_params["job_id"])
        picture = await self._picture(job, number)
        entry_id = (await self._gallery.shared(job.id)).get(number)
        return HTMLResponse(viewing.viewer(job, picture, self._translator(request), entry_id=entry_id))

    async def share(self, request: Request) -> Response:
        """Put one of the user's own pictures into the gallery."""
        visitor = await self._pressing(request)
        await self._gallery.share(visitor.actor, request.path_params["job_id"], request.path_params["number"])
        return self._done(request, "It is in the gallery now.")

    async def view_shared(self, request: Request) -> Response:
        """Return a picture of the gallery with its settings."""
        job, shown = await self._entry(await self._looking(request), request)
        picture = await self._picture(job, shown.entry.number)
        return HTMLResponse(viewing.shared_viewer(shown, picture, self._translator(request)))

    async def picture(self, request: Request) -> Response:
        """Return a shared picture's file, or a small copy of it."""
        _job, shown = await self._entry(await self._looking(request), request)
        try:
            content = await asyncio.to_thread(read_picture, shown.path)
        except OSError as error:
            raise NotFoundError(_GONE) from error
        return await picture_response(request, content)

    async def vote(self, request: Request) -> Response:
        """Vote for a picture, or take the vote back."""
        visitor = await self._pressing(request)
        voted = await self._gallery.vote(visitor.actor, request.path_params["entry_id"])
        return self._done(request, "Your vote counts." if voted else "Your vote is taken back.")

    async def unshare(self, request: Request) -> Response:
        """Take a picture out of the gallery."""
        visitor = await self._pressing(request)
        await self._gallery.unshare(visitor.actor, request.path_params["entry_id"])
        return self._done(request, "It is no longer in the gallery.")

    async def _entry(self, visitor: Visitor, request: Request) -> tuple[Job, Shown]:
        """Return an entry that the user may look at, and its job."""
        entry_id, actor = request.path_params["entry_id"], visitor.actor
        job = await self._gallery.job_of(actor, entry_id)
        shown = await self._gallery.shown(actor, [entry_id])
        if not shown:
            raise NotFoundError(_GONE)
        return job, shown[0]

    async def _picture(self, job: Job, number: int) -> StoredPicture:
        for picture, _path in await self._services.jobs.pictures(job.id):
            if picture.number == number:
                return picture
        raise NotFoundError(_GONE)

    async def _looking(self, request: Request) -> Visitor:
        visitor = visitor_of(request)
        await self._check(visitor.actor)
        return visitor

    async def _pressing(self, request: Request) -> Visitor:
        visitor = visitor_of(request)
        self._services.rates.spend(visitor.actor.user_id, Kind.BUTTON)
        await self._check(visitor.actor)
        return visitor

    async def _check(self, actor: Actor) -> None:
        """Raise where the server's moderators have closed the channel that the user comes from."""
        await self._services.access.check_channel(actor)

    def _done(self, request: Request, text: str) -> Response:
        return JSONResponse({"notice": self._translator(request)(text)})

    def _translator(self, request: Request) -> Translate:
        return self._languages.translator(locale_in(request))
