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
from pastelbot.records import InitImage
from pastelbot.rules.sampling.init_options import INIT_OPTIONS, InitOption
from pastelbot.service.page.uploads import Uploads
from pastelbot.web.fragments import start_picture
from pastelbot.web.tabs.option_fields import option_field

_OFFERED = tuple(option for option in INIT_OPTIONS if option.title not in {"Mask blur x", "Mask blur y"})
_OVER = "This was painted over another picture: choose that one to start from. Its strength is filled in."
_OVER_A_PART = (
    "This was painted over a part of another picture: choose that one to start from, and draw the mask. Strength and "
    "the options of the mask are filled in."
)
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
        self.filled = [strength, *others]  # those that an infotext fills

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

    @staticmethod
    def shown(init: InitImage | None) -> list[object]:
        """Return what the filled fields show for what an infotext says of a picture that it was painted over."""
        if init is None:
            return [gradio.skip()] * (1 + len(_OFFERED))
        records = (init.mask if option.of_mask else init for option in _OFFERED)
        typed = [
            "" if record is None else option.typed(record) for option, record in zip(_OFFERED, records, strict=True)
        ]
        return [f"{init.denoising_strength:g}", *typed]


def missing_picture(init: InitImage | None) -> str:
    """Return what is left to do before the picture of an infotext can be painted, "" where that is nothing."""
    if init is None:
        return ""
    return _OVER if init.mask is None else _OVER_A_PART


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
