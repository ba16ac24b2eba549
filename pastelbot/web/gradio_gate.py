"""Gate in front of Gradio: of its routes only those that the page uses, and no files in what is sent to them.

Gradio would keep uploads in a folder that all users can read, and fetch whatever address an event's data names as a
file. The page has routes of its own for files.
"""

import json
import re
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pastelbot.errors import LimitError
from pastelbot.web.bodies import read_body

_GRADIO = re.compile(r"/(?:en|ja)(?:/|$)")
_USED = re.compile(
    r"/(?:en|ja)(?:/?|/config|/theme\.css|/assets/.*|/static/.*|/gradio_api/(?:queue/data|queue/join|heartbeat/\w+))"
)
_JOIN = "/gradio_api/queue/join"
_LARGEST_EVENT = 2**20  # bytes


class GradioGate:
    """ASGI middleware; what it refuses is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that there is no such thing."""
        path = str(scope.get("path", ""))
        if scope["type"] not in {"http", "websocket"} or _GRADIO.match(path) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" or _USED.fullmatch(path) is None:
            await Response(status_code=HTTPStatus.NOT_FOUND)(scope, receive, send)
        elif path.endswith(_JOIN):
            await self._join(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(Request(scope, receive), most=_LARGEST_EVENT, what="What was sent")
        except LimitError as error:
            answer = JSONResponse({"detail": str(error)}, status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await answer(scope, receive, send)
            return
        if not _is_plain(body):
            await Response(status_code=HTTPStatus.BAD_REQUEST)(scope, receive, send)
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def _is_plain(body: bytes) -> bool:
    """Return whether an event's data are a list of texts, numbers and switches: what the page's fields hold."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return False
    data = event.get("data") if isinstance(event, dict) else None
    return isinstance(data, list) and all(value is None or isinstance(value, str | int | float) for value in data)
