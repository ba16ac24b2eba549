"""The tab that paints: prompt, options, and the user's jobs."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import gradio

from pastelbot.errors import PastelError
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.infotext import read_request
from pastelbot.options import GenerationOptions
from pastelbot.options.fitting import fitted, is_far_off
from pastelbot.options.option import Option
from pastelbot.records import InitImage
from pastelbot.service.page.uploads import Uploads
from pastelbot.service.rates import Kind
from pastelbot.service.requests.plans import pictures_in, price_of
from pastelbot.service.requests.presets import options_in
from pastelbot.service.services import Services
from pastelbot.store.confirmations import Plan
from pastelbot.web.fragments import note, question, refusal
from pastelbot.web.painting import paint
from pastelbot.web.tabs.choices import choices_of
from pastelbot.web.tabs.grid_fields import GridFields
from pastelbot.web.tabs.option_fields import OptionField, offered, option_field, shown_options, typed_options
from pastelbot.web.tabs.start_fields import StartFields, missing_picture
from pastelbot.web.visits import Visits

_AXES = 4  # fields of a grid
_AT_THE_PICTURE = ("resize_mode",)  # it stands beside the picture to start from
_FIRST = ("negative", "size", "seed", "steps", "cfg", "count", "hires")  # what stands open under the prompt


def _read(infotext: str) -> tuple[GenerationOptions, InitImage | None]:
    """Return an infotext's options, and what it says of a picture that it was painted over; raises RequestError."""
    return options_in(infotext), read_request(infotext).init


class PaintTab:
    """Builds the tab and answers what is done in it."""

    def __init__(self, services: Services, visits: Visits, uploads: Uploads, languages: Languages, locale: str) -> None:
        self._services = services
        self._uploads = uploads
        self._visits = visits
        self._translate: Translate = languages.translator(locale)
        self._catalogue = languages.catalogue(locale)
        self._locale = locale
        self._fields: list[OptionField] = []

    def build(self, page: gradio.Blocks) -> None:
        """Add the tab's components to the page that is being built."""
        translate = self._translate
        with gradio.Row(equal_height=False, elem_id="studio"):
            with gradio.Column(elem_id="ask"):
                prompt = gradio.Textbox(
                    label=translate("What to paint, as danbooru tags: 1girl, red hair, smile"),
                    lines=3,
                    max_lines=12,
                    elem_id="prompt",
                    autofocus=True,
                )
                gradio.HTML('<div id="completions" role="listbox"></div>')
                button = gradio.Button(translate("Paint"), variant="primary", elem_id="paint")
                said = gradio.HTML("", elem_id="said")
            with gradio.Column(elem_id="options"):
                self._add_fields()
            with gradio.Column(elem_id="result"):
                gradio.HTML('<div id="jobs" aria-live="polite"></div>')
        own = [*(field.component for field in self._fields), *self._grid.components]
        components = [*own, *self._start.components]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        button.click(self.paint, [prompt, *components], said, trigger_mode="multiple", **quiet)
        saved = [*(field.component for field in self._completed()), said]
        self._save_button.click(self.save, [self._name, prompt, *components], saved, **quiet)
        bring = gradio.Textbox(elem_id="bring", elem_classes="unseen", container=False)
        bring_button = gradio.Button("bring", elem_id="bring-button", elem_classes="unseen")
        bring_button.click(self.fill, bring, [prompt, *own, *self._start.filled, said], **quiet)
        page.load(self.choices, None, [field.component for field in self._completed()], **quiet)

    async def paint(self, request: gradio.Request, prompt: str, *values: object) -> str:
        """Queue what the fields say; return a sentence where that cannot be done."""
        try:
            visitor = await self._visits.require(request.cookies)
            options, rest = self._options(values).replace(prompt=prompt), values[len(self._fields) :]
            grid, starting = self._grid.read(rest[:_AXES]), rest[_AXES:]
            options = self._start.read(options, starting, visitor.actor.user_id)
            asked = await paint(self._services, visitor, options, locale=self._locale, grid=grid)
        except PastelError as error:
            return refusal(error, self._translate)
        return "" if asked is None else self._question(*asked)

    def _options(self, values: Sequence[object]) -> GenerationOptions:
        return typed_options(self._fields, values[: len(self._fields)])

    def _question(self, plan_id: str, plan: Plan) -> str:
        settings, request = self._services.settings, plan.requests[0]
        fit = fitted(request, settings)
        size = f"{fit.width}x{fit.height}" if is_far_off(request, settings) else ""
        price = price_of(plan, self._services.quotas.default)
        return question(plan_id, pictures_in(plan), price, size, self._translate)

    async def fill(self, request: gradio.Request, infotext: str) -> list[object]:
        """Return what the prompt and the fields show for an infotext, and a sentence where it is none."""
        try:
            await self._visits.require(request.cookies)
            options, init = await asyncio.to_thread(_read, infotext)
        except PastelError as error:
            kept = [gradio.skip()] * (1 + len(self._fields) + len(self._grid.components) + len(self._start.filled))
            return [*kept, refusal(error, self._translate, charged=False)]
        own, left = shown_options(self._fields, options), missing_picture(init)
        said = note(left, self._translate) if left else ""
        return [options.prompt or "", *own, *self._grid.shown(infotext), *self._start.shown(init), said]

    async def save(self, request: gradio.Request, name: str, prompt: str, *values: object) -> list[object]:
        """Save what the fields say as a preset; return the fields with new choices, and what was done."""
        try:
            visitor = await self._visits.require(request.cookies)
            self._services.rates.spend(visitor.actor.user_id, Kind.BUTTON)
            options = self._options(values).replace(prompt=prompt.strip() or None)
            await self._services.builder.check_defaults(visitor.actor, options)
            await self._services.presets.save(visitor.actor, name, options)
        except PastelError as error:
            kept = [gradio.skip()] * len(self._completed())
            return [*kept, refusal(error, self._translate, charged=False)]
        return [
            *await self.choices(request),
            note(f"Saved: choose {name.strip()!r} under the presets.", self._translate),
        ]

    async def choices(self, request: gradio.Request) -> list[gradio.Dropdown]:
        """Return the fields whose choices depend on the bot and on the user, with those choices."""
        visitor = await self._visits.require(request.cookies)
        usual = (self._translate("as usual"), "")
        found = []
        for field in self._completed():
            names = await choices_of(self._services, visitor, field.option)
            found.append(gradio.Dropdown(choices=[usual, *((name, name) for name in names)]))
        return found

    def _completed(self) -> list[OptionField]:
        return [field for field in self._fields if field.option.complete is not None]

    def _add_fields(self) -> None:
        options = {option.name: option for option in offered() if option.name not in _AT_THE_PICTURE}
        with gradio.Row(elem_classes="options"):
            self._add([options.pop(name) for name in _FIRST])
        with gradio.Accordion(self._translate("More options"), open=False):
            with gradio.Row(elem_classes="options"):
                self._add(options.values())
            with gradio.Row(elem_classes="options"):
                self._name = gradio.Textbox(label=self._translate("Name of a preset"), elem_id="preset-name")
                self._save_button = gradio.Button(self._translate("Save as a preset"), elem_id="save-preset")

        self._start = StartFields(self._services.settings, self._uploads, self._translate, self._word)
        with gradio.Accordion(self._translate("X/Y grid"), open=False, elem_id="grid"):
            self._grid = GridFields(self._translate)

    def _add(self, options: Iterable[Option[Any]]) -> None:  # Any: each row has a type of its own
        settings = self._services.settings
        self._fields += [option_field(option, settings, self._translate, self._word) for option in options]

    def _word(self, name: str) -> str:
        """Return an option's name in the page's language."""
        return (self._catalogue.word(name) if self._catalogue is not None else None) or name
