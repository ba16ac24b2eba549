"""Routes for files of users: read in memory, and not kept."""

import asyncio

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pastelbot.formats import pictures
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web.bodies import read_body
from pastelbot.web.routes.job_routes import visitor_of

_LARGEST_INFO = 25 * 2**20  # bytes of a file of which only the infotext is read


class FileRoutes:
    """What is dropped on the page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/infotext", self.infotext, methods=["POST"])

    async def infotext(self, request: Request) -> Response:
        """Return the infotext of a file."""
        content = await self._read(request, most=_LARGEST_INFO)
        return JSONResponse({"infotext": await asyncio.to_thread(pictures.read_infotext, content)})

    async def _read(self, request: Request, *, most: int) -> bytes:
        self._services.rates.spend(visitor_of(request).actor.user_id, Kind.BUTTON)
        return await read_body(request, most=most, what="This file")
