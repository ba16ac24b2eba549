"""Guard in front of all routes: lets in who is signed in, and nothing that other pages send."""

from http import HTTPStatus

from starlette.datastructures import URL, Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pastelbot.config import Settings
from pastelbot.i18n.languages import Languages
from pastelbot.web.visits import Visits

_OPEN = ("/sign-in", "/link/", "/static/")  # what may be seen without signing in
_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
# Gradio's page has scripts and styles inside it, and addresses of other sites, which no browser needs to visit.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware: a page without sign-in answers under this machine's own names alone.

    Any site can give a name of its own this machine's address.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, visits: Visits, languages: Languages) -> None:
        self._app = app
        self._settings = settings.web
        self._visits = visits
        self._languages = languages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with its user in the state."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        refusal = await self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    async def _refusal(self, scope: Scope) -> Response | None:
        """Return what to answer instead; None where the request may pass."""
        headers, url = Headers(scope=scope), URL(scope=scope)
        if not self._settings.needs_sign_in and url.hostname not in _THIS_MACHINE:
            return self._answer(
                headers,
                HTTPStatus.FORBIDDEN,
                "This page is for this machine alone: set always_sign_in or another host under [web] to open it to "
                "others.",
            )
        origin = headers.get("origin")
        if origin is not None and URL(origin).netloc != headers.get("host"):
            return self._answer(
                headers, HTTPStatus.FORBIDDEN, "This request came from another page, so it was refused."
            )
        visitor = await self._visits.find(Request(scope).cookies)
        scope.setdefault("state", {})["visitor"] = visitor
        if visitor is not None or url.path.startswith(_OPEN):
            return None
        if "text/html" in headers.get("accept", "") and scope["method"] == "GET":
            return RedirectResponse("/sign-in", status_code=HTTPStatus.SEE_OTHER)
        return self._answer(headers, HTTPStatus.UNAUTHORIZED, "You are signed out: open the page anew to sign in.")

    def _answer(self, headers: Headers, status: HTTPStatus, text: str) -> Response:
        locale = locale_of(headers)
        return JSONResponse({"error": self._languages.translate(text, locale)}, status_code=status)


def locale_of(headers: Headers) -> str:
    """Return the language of those we have that a browser prefers."""
    accepted = [part.split(";")[0].strip().lower() for part in headers.get("accept-language", "").split(",")]
    return next((code for each in accepted for code in ("en", "ja") if each.startswith(code)), "en")
