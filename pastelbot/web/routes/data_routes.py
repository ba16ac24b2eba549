"""Routes of a user's own data: download all that is kept, and delete it, as `/mydata` does."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import ON_PAGE
from pastelbot.service.page.uploads import Uploads
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web import viewing
from pastelbot.web.routes.job_routes import locale_in, visitor_of

_LARGEST = 64 * 2**20  # bytes of one archive, which is put together in memory


class DataRoutes:
    """Everything here is about the user who asks."""

    def __init__(self, services: Services, languages: Languages, uploads: Uploads) -> None:
        self._uploads = uploads
        self._data = services.personal_data
        self._services = services
        self._languages = languages

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/my-data", self.about)
        app.add_route("/my-data/{part:int}", self.download)
        app.add_route("/my-data/forget", self.forget, methods=["POST"])

    async def about(self, request: Request) -> Response:
        """Return what can be done with the data."""
        actor = visitor_of(request).actor
        parts = await self._data.parts(actor.user_id, limit=_LARGEST, archives=1)
        return HTMLResponse(
            viewing.my_data(parts, self._translator(request), local=actor.guild_id == ON_PAGE),
        )

    async def download(self, request: Request) -> Response:
        """Return one part of the data as a zip file."""
        user_id, part = visitor_of(request).actor.user_id, request.path_params["part"]
        self._services.rates.spend(user_id, Kind.BUTTON)
        export = await self._data.export(user_id, part=part, limit=_LARGEST, archives=1)
        name = f"pastelbot-{part}-of-{export.parts}.zip"
        headers = {"Content-Disposition": f"attachment;filename={name}", "Cache-Control": "no-store"}
        return Response(export.archives[0], media_type="application/zip", headers=headers)

    async def forget(self, request: Request) -> Response:
        """Delete the data; the user is signed out with it."""
        user_id = visitor_of(request).actor.user_id
        self._services.rates.spend(user_id, Kind.BUTTON)
        await self._data.forget(user_id)
        self._uploads.forget(user_id)
        self._services.page_jobs.changed(user_id)
        return JSONResponse({"notice": self._translator(request)("Everything is deleted."), "leave": True})

    def _translator(self, request: Request) -> Translate:
        return self._languages.translator(locale_in(request))
