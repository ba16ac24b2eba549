"""Routes for files of users: read in memory, and kept nowhere else."""

import asyncio

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pastelbot.formats import pictures
from pastelbot.service.page.uploads import Uploads
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web.bodies import read_body
from pastelbot.web.routes.job_routes import visitor_of

_LARGEST_INFO = 25 * 2**20  # bytes of a file of which only the infotext is read


class FileRoutes:
    """What is dropped on the page."""

    def __init__(self, services: Services, uploads: Uploads) -> None:
        self._services = services
        self._uploads = uploads

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/infotext", self.infotext, methods=["POST"])
        app.add_route("/uploads", self.upload, methods=["POST"])

    async def infotext(self, request: Request) -> Response:
        """Return the infotext of a file."""
        content = await self._read(request, most=_LARGEST_INFO)
        return JSONResponse({"infotext": await asyncio.to_thread(pictures.read_infotext, content)})

    async def upload(self, request: Request) -> Response:
        """Keep a picture to start from, or a mask, and return its token; only its head is read here."""
        content = await self._read(request, most=pictures.MAX_FILE)
        width, height = await asyncio.to_thread(pictures.size_of, content, what="This file")
        token = self._uploads.keep(visitor_of(request).actor.user_id, content)
        return JSONResponse({"token": token, "width": width, "height": height})

    async def _read(self, request: Request, *, most: int) -> bytes:
        self._services.rates.spend(visitor_of(request).actor.user_id, Kind.BUTTON)
        return await read_body(request, most=most, what="This file")
