"""Pages without Gradio: the form for local accounts, and the button behind a link of the bot."""

import html
from http import HTTPStatus

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pastelbot.errors import LimitError, NotAllowedError
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.services import Services
from pastelbot.web.guard import locale_of
from pastelbot.web.visits import COOKIE

_LARGEST_FORM = 10_000  # bytes
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pastelbot</title><link rel="icon" href="/static/avatar.webp"><link rel="stylesheet" href="/static/style.css">
</head><body class="sign-in"><main><img src="/static/avatar.webp" alt="" width="72" height="72"><h1>Pastelbot</h1>
{content}</main></body></html>"""


class SignInPages:
    """Signs browsers in and out."""

    def __init__(self, services: Services, languages: Languages) -> None:
        self._sign_in = services.sign_in
        self._settings = services.settings.web
        self._languages = languages

    def register(self, app: FastAPI) -> None:
        """Add the routes."""
        app.add_route("/sign-in", self.form, methods=["GET"])
        app.add_route("/sign-in", self.enter, methods=["POST"])
        app.add_route("/link/{token}", self.invite, methods=["GET"])
        app.add_route("/link/{token}", self.follow_link, methods=["POST"])
        app.add_route("/sign-out", self.leave, methods=["POST"])

    async def form(self, request: Request) -> Response:
        """Show the form."""
        return self._form(request)

    async def enter(self, request: Request) -> Response:
        """Sign in with a name and a password."""
        if int(request.headers.get("content-length") or _LARGEST_FORM + 1) > _LARGEST_FORM:
            return self._form(request, "The name or the password is wrong: try again.", HTTPStatus.FORBIDDEN)
        form = await request.form()
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        address = request.client.host if request.client is not None else ""
        try:
            visitor = await self._sign_in.by_password(name, password, address=address)
        except NotAllowedError as error:
            return self._form(request, str(error), HTTPStatus.FORBIDDEN, name=name)
        except LimitError as error:
            return self._form(request, str(error), HTTPStatus.TOO_MANY_REQUESTS, name=name)
        return await self._signed_in(visitor)

    async def invite(self, request: Request) -> Response:
        """Ask for a click: programs that look at links before people do must not use them up."""
        translate = self._translator(request)
        button = html.escape(translate("Sign in"))
        text = html.escape(translate("You come from Discord: your pictures here count as yours there."))
        return _shown(request, f'<p>{text}</p><form method="post"><button autofocus>{button}</button></form>')

    async def follow_link(self, request: Request) -> Response:
        """Sign in by a link, once."""
        try:
            return await self._signed_in(await self._sign_in.by_link(request.path_params["token"]))
        except NotAllowedError as error:
            return self._form(request, str(error), HTTPStatus.FORBIDDEN)

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        await self._sign_in.end_session(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        response.delete_cookie(COOKIE)
        return response

    async def _signed_in(self, visitor: Visitor) -> Response:
        response = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            await self._sign_in.begin_session(visitor),
            max_age=int(self._settings.session_hours * 3600),
            httponly=True,
            samesite="lax",
            secure=self._settings.public_address.startswith("https:"),
        )
        return response

    def _form(
        self, request: Request, error: str = "", status: HTTPStatus = HTTPStatus.OK, *, name: str = ""
    ) -> Response:
        translate = self._translator(request)
        return _shown(request, _form(translate, error, name), status)

    def _translator(self, request: Request) -> Translate:
        return self._languages.translator(locale_of(request.headers))


def _form(translate: Translate, error: str, name: str) -> str:
    said = f'<p class="error" role="alert">{html.escape(translate(error))}</p>' if error else ""
    hint = html.escape(translate("Or use /web in Discord: the bot answers with a link that signs you in."))
    return (
        f'{said}<form method="post" action="/sign-in">'
        f'<label>{html.escape(translate("Name"))}<input name="name" required maxlength="40" autocomplete="username"'
        f' value="{html.escape(name[:40])}" autofocus></label>'
        f'<label>{html.escape(translate("Password"))}<input name="password" type="password" required'
        ' maxlength="200" autocomplete="current-password"></label>'
        f'<button>{html.escape(translate("Sign in"))}</button></form><p class="quiet">{hint}</p>'
    )


def _shown(request: Request, content: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {"Cache-Control": "no-store"}
    page = _PAGE.format(language=locale_of(request.headers), content=content)
    return HTMLResponse(page, status_code=status, headers=headers)
