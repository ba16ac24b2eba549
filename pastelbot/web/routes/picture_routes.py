"""Routes of pictures, which are shown to those alone who may see their jobs, and of tags while a user types."""

import asyncio
import io

from fastapi import FastAPI
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pastelbot.errors import NotFoundError
from pastelbot.formats.pictures import suffix_of
from pastelbot.rules.picture_names import picture_name
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web.routes.job_routes import visitor_of

_THUMB = (320, 320)
_LONGEST = 300
_CACHED = "private, max-age=86400, immutable"


class PictureRoutes:
    """Pictures and completions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/picture/{job_id}/{number:int}", self.picture)
        app.add_route("/complete", self.complete)

    async def picture(self, request: Request) -> Response:
        """Return a picture's file, or a small copy of it."""
        job_id, number = request.path_params["job_id"], request.path_params["number"]
        try:
            _job, content = await self._services.history.open(visitor_of(request).actor, picture_name(job_id, number))
        except NotFoundError:
            return Response(status_code=404)
        return await picture_response(request, content)

    async def complete(self, request: Request) -> Response:
        """Return how the tag at the end of a prompt may go on."""
        visitor = visitor_of(request)
        self._services.rates.spend(visitor.actor.user_id, Kind.COMPLETION)
        found = await self._services.tags.complete(request.query_params.get("prompt", "")[-_LONGEST:], visitor.actor)
        return JSONResponse([{"name": each.name, "value": each.value} for each in found])


async def picture_response(request: Request, content: bytes) -> Response:
    """Return a picture file as an answer, or a small copy where the address asks for it."""
    kind = f"image/{suffix_of(content)}"
    if request.query_params.get("small"):
        content, kind = await asyncio.to_thread(_small, content), "image/webp"
    return Response(content, media_type=kind, headers={"Cache-Control": _CACHED})


def _small(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        image.thumbnail(_THUMB, Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        image.convert("RGB").save(stream, "WEBP", quality=82)
    return stream.getvalue()
