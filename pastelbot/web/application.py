"""The page's routes, put together."""

from http import HTTPStatus
from importlib import resources

import gradio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pastelbot.errors import PastelError, RequestError
from pastelbot.i18n.languages import Languages
from pastelbot.service.page.uploads import Uploads
from pastelbot.service.services import Services
from pastelbot.web.gradio_gate import GradioGate
from pastelbot.web.guard import Guard, locale_of
from pastelbot.web.page import build_page
from pastelbot.web.routes.data_routes import DataRoutes
from pastelbot.web.routes.file_routes import FileRoutes
from pastelbot.web.routes.gallery_routes import GalleryRoutes
from pastelbot.web.routes.job_routes import JobRoutes
from pastelbot.web.routes.lora_routes import LoraRoutes
from pastelbot.web.routes.picture_routes import PictureRoutes
from pastelbot.web.routes.sign_in_pages import SignInPages
from pastelbot.web.visits import Visits

_LOCALES = ("en", "ja")
_STATIC = {"page.js": "text/javascript", "draw.js": "text/javascript", "style.css": "text/css"}
_FONTS = ("system-ui", "Noto Sans", "Noto Sans CJK JP", "sans-serif")
_HEAD = (
    '<script src="/static/draw.js" defer></script><script src="/static/page.js" defer></script>'
    '<link rel="stylesheet" href="/static/style.css">'
    '<link rel="icon" href="/static/avatar.webp">'
)


def application(services: Services, languages: Languages) -> FastAPI:
    """Return the web application of the services; it takes a second or two to build."""
    visits, uploads = Visits(services), Uploads()
    app = plain_application(services, languages, uploads)
    for locale in _LOCALES:
        gradio.mount_gradio_app(
            app,
            build_page(services, visits, uploads, languages, locale),
            path=f"/{locale}",
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            show_error=True,
            theme=_theme(),
            head=_HEAD,
        )
    return app


def plain_application(services: Services, languages: Languages, uploads: Uploads | None = None) -> FastAPI:
    """Return the routes around Gradio's pages, which read what was put into `uploads`."""
    visits, kept = Visits(services), uploads or Uploads()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(GradioGate)
    app.add_middleware(Guard, settings=services.settings, visits=visits, languages=languages)
    errors = _Errors(languages)
    app.add_exception_handler(PastelError, errors.answer)
    app.add_route("/", _index)
    app.add_route("/static/{name}", _static)
    SignInPages(services, languages).register(app)
    JobRoutes(services, languages, visits).register(app)
    PictureRoutes(services).register(app)
    GalleryRoutes(services, languages).register(app)
    LoraRoutes(services, languages).register(app)
    FileRoutes(services, kept).register(app)
    DataRoutes(services, languages, kept).register(app)
    return app


class _Errors:
    """Answers errors with their sentence, in the reader's language."""

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    async def answer(self, request: Request, error: Exception) -> Response:
        """Return the sentence."""
        status = HTTPStatus.BAD_REQUEST if isinstance(error, RequestError) else HTTPStatus.SERVICE_UNAVAILABLE
        locale = request.query_params.get("language") or locale_of(request.headers)
        return JSONResponse({"error": self._languages.translate(str(error), locale)}, status_code=status)


async def _index(request: Request) -> Response:
    return RedirectResponse(f"/{locale_of(request.headers)}/")


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    data = resources.files("pastelbot.data")
    if name == "avatar.webp":
        return Response(data.joinpath("demo/pastelbot.webp").read_bytes(), media_type="image/webp")
    if name not in _STATIC:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    content = data.joinpath(f"web/{name}").read_bytes()
    return Response(content, media_type=_STATIC[name], headers={"Cache-Control": "no-cache"})


def _theme() -> gradio.themes.Base:
    """Return the page's theme: the demo's pastel accent, and fonts that every system has."""
    return gradio.themes.Soft(
        primary_hue="pink", neutral_hue="zinc", font=_FONTS, font_mono=["ui-monospace", "monospace"]
    )
