"""Route of the LoRA browser."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pastelbot.i18n.languages import Languages
from pastelbot.service.models.lora_cards import LoraCards
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web import viewing
from pastelbot.web.routes.job_routes import locale_in, number_in, visitor_of

_ON_A_PAGE = 24


class LoraRoutes:
    """The operator's LoRAs, which all users may paint with."""

    def __init__(self, services: Services, languages: Languages) -> None:
        self._services = services
        self._cards = LoraCards(services.models.names.loras)
        self._languages = languages

    def register(self, app: FastAPI) -> None:
        """Add the route."""
        app.add_route("/loras", self.loras)

    async def loras(self, request: Request) -> Response:
        """Return a page of the LoRAs that a text finds."""
        self._services.rates.spend(visitor_of(request).actor.user_id, Kind.COMPLETION)
        text, pages = request.query_params.get("text", "")[:100], max(1, number_in(request.query_params.get("pages")))
        cards, count = await self._cards.find(text, start=0, most=pages * _ON_A_PAGE)
        more = pages + 1 if count > len(cards) else 0
        translate = self._languages.translator(locale_in(request))
        return HTMLResponse(viewing.loras(cards, text, more, translate))
