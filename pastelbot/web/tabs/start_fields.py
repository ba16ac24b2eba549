"""Fields for a picture to start from and its mask, which belong to the form that paints.

`page.js` uploads the picture and the mask that is drawn on it, and writes their tokens into two fields that are unseen.
"""

from collections.abc import Sequence
from typing import Any

import gradio

from pastelbot.config import Settings
from pastelbot.i18n.languages import Translate
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME
from pastelbot.options.reading import read_strength
from pastelbot.rules.sampling.init_options import INIT_OPTIONS, InitOption
from pastelbot.service.page.uploads import Uploads
from pastelbot.web.fragments import start_picture
from pastelbot.web.tabs.option_fields import option_field

_OFFERED = tuple(option for option in INIT_OPTIONS if option.title not in {"Mask blur x", "Mask blur y"})
_SWITCH = {"True": "on", "False": "off"}  # as other options' switches are shown


class StartFields:
    """A picture to start from, what of it is painted, and how."""

    def __init__(self, settings: Settings, uploads: Uploads, translate: Translate, word: Translate) -> None:
        """Add the fields to the layout that is being built."""
        self._uploads = uploads
        gradio.HTML(start_picture(translate))
        unseen: dict[str, Any] = {"elem_classes": "unseen", "container": False}
        start, mask = (gradio.Textbox("", elem_id=name, **unseen) for name in ("start-token", "mask-token"))
        title = translate("How to start from the picture")
        with gradio.Accordion(title, open=True, elem_id="from-picture"), gradio.Row(elem_classes="options"):
            strength = gradio.Textbox(
                label=translate("Strength"),
                info=translate("How far to go from that picture: 0 keeps it, 1 forgets it"),
                placeholder="0.75",
                elem_id="strength",
            )
            self._resize = option_field(BY_NAME["resize_mode"], settings, translate, word)
            others = [_field(option, translate) for option in _OFFERED]
        self.components = [start, mask, strength, self._resize.component, *others]

    def read(self, options: GenerationOptions, values: Sequence[object], user_id: int) -> GenerationOptions:
        """Return the options with what these fields say, which counts beside a picture alone; raises RequestError."""
        start, mask, strength, resize, *others = (str(value or "").strip() for value in values)
        if not start:
            return options
        own = [
            f"{option.title}: {text}"
            for option, text in zip(_OFFERED, others, strict=True)
            if text and (mask or not option.of_mask)
        ]
        return options.replace(
            init=self._uploads.get(user_id, start),
            mask=self._uploads.get(user_id, mask) if mask else None,
            denoise=read_strength(strength) if strength else options.denoise,
            resize_mode=self._resize.read(resize),
            sampling=", ".join(filter(None, (options.sampling, *own))) or None,
        )


def _field(option: InitOption, translate: Translate) -> gradio.components.Component:
    common: dict[str, Any] = {"label": translate(option.title), "elem_id": f"init-{_name(option)}"}
    if option.values is None:
        return gradio.Textbox("", placeholder=option.usual, **common)
    choices = [
        (translate("as usual"), ""),
        *((translate(_SWITCH.get(name, name)), name) for name in option.values),
    ]
    return gradio.Dropdown(choices, value="", **common)


def _name(option: InitOption) -> str:
    return option.title.casefold().replace(" ", "-")
