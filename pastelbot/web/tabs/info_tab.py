"""The tab for infotexts: what a dropped picture says of itself, to use its settings or to paint it again."""

from typing import Any

import gradio

from pastelbot.errors import PastelError, RequestError
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import JobOptions
from pastelbot.service.rates import Kind
from pastelbot.service.services import Services
from pastelbot.web.fragments import drop_zone, notes_list, refusal
from pastelbot.web.painting import submit
from pastelbot.web.visits import Visits


class InfoTab:
    """Builds the tab and answers what is done in it."""

    def __init__(self, services: Services, visits: Visits, languages: Languages, locale: str) -> None:
        self._services = services
        self._visits = visits
        self._translate: Translate = languages.translator(locale)
        self._locale = locale

    def build(self) -> None:
        """Add the tab's components to the page that is being built."""
        translate = self._translate
        with gradio.Row(elem_classes="info"):
            with gradio.Column(min_width=280):
                gradio.HTML(
                    drop_zone("infotext", translate("Drop a picture or a text file here, or tap to choose one"))
                )
            with gradio.Column(min_width=280, scale=2):
                text = gradio.Textbox(label=translate("Infotext"), lines=8, max_lines=20, elem_id="infotext")
                said = gradio.HTML("", elem_id="info-said")
                with gradio.Row():
                    gradio.Button(translate("Use these settings"), elem_id="use-infotext")
                    again = gradio.Button(translate("Paint it again"), variant="primary", elem_id="recreate")
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        again.click(self.recreate, text, said, trigger_mode="multiple", **quiet)

    async def recreate(self, request: gradio.Request, infotext: str) -> str:
        """Paint what an infotext says; return what will differ, or why it cannot be done."""
        try:
            visitor = await self._visits.require(request.cookies)
            self._services.rates.spend(visitor.actor.user_id, Kind.COMMAND)
            if not infotext.strip():
                raise RequestError("There is nothing to paint again: drop a picture, or paste an infotext.")
            checked, notes = await self._services.builder.recreate(visitor.actor, infotext, JobOptions())
            await submit(self._services, visitor, checked, locale=self._locale)
        except PastelError as error:
            return refusal(error, self._translate)
        return notes_list(notes, self._translate)
