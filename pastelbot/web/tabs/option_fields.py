"""Fields for the options of the table: each row that the page offers becomes a component."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio

from pastelbot.config import Settings
from pastelbot.i18n.languages import Translate
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.option import Option
from pastelbot.options.reading import read_number, read_seed, read_whole

_LEFT_OUT = ""  # the value of a choice that leaves the option out
_ON, _OFF = "on", "off"
_EXAMPLE = 7
_WRITTEN = {"cfg": "CFG", "vae": "VAE", "lora": "LoRA"}


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """An option and its component. Any: each option has a type of its own."""

    option: Option[Any]
    component: gradio.components.Component

    def read(self, value: object) -> object:
        """Return the option's value, None where it is left out."""
        text = str(value if value is not None else _LEFT_OUT).strip()
        if text == _LEFT_OUT:
            return None
        if self.option.value_type is bool:
            return text == _ON
        if self.option.value_type is int:
            return read_seed(text) if self.option.name == "seed" else read_whole(text, example=_EXAMPLE)
        return read_number(text, example=_EXAMPLE) if self.option.value_type is float else text

    def shown(self, value: object) -> object:
        """Return what the component shows for an option's value; None is left out."""
        if self.option.value_type is bool:
            return _LEFT_OUT if value is None else _ON if value else _OFF
        if value is None:
            return _LEFT_OUT
        return f"{value:.10g}" if isinstance(value, float) else str(value)


def offered() -> tuple[Option[Any], ...]:
    """Return the rows that the page offers, in the table's order."""
    return tuple(option for option in OPTIONS if option.page and option.describe)


def option_field(option: Option[Any], settings: Settings, translate: Translate, word: Translate) -> OptionField:
    """Return an option's field, inside the layout that is being built; `word` translates options' names."""
    common: dict[str, Any] = {
        "label": _label(option.name, word),
        "info": translate(option.describe),
        "elem_id": f"option-{option.name}",
        "interactive": True,
    }
    default = option.default(settings)
    usual = translate("as usual")
    component: gradio.components.Component
    if option.value_type is bool or option.choices:
        values = (_ON, _OFF) if option.value_type is bool else option.choices
        choices = [(usual, _LEFT_OUT), *((translate(str(value)), value) for value in values)]
        others = option.value_type is not bool  # such as any scale, or a sampler that the menu leaves out
        component = gradio.Dropdown(choices, value=_LEFT_OUT, allow_custom_value=others, **common)
    elif option.complete is not None:
        component = gradio.Dropdown([(usual, _LEFT_OUT)], value=_LEFT_OUT, allow_custom_value=True, **common)
    else:
        shown = default if option.value_type in {int, float} and default is not None else usual
        component = gradio.Textbox("", placeholder=str(shown), **common)  # gradio.Number shows an empty one as 0
    return OptionField(option=option, component=component)


def _label(name: str, word: Translate) -> str:
    """Return an option's name as the field writes it, in the page's language."""
    translated = word(name)
    if translated == name and name in _WRITTEN:
        return _WRITTEN[name]
    label = translated.replace("_", " ")
    return label[:1].upper() + label[1:]


def shown_options(fields: Sequence[OptionField], options: GenerationOptions) -> list[object]:
    """Return what the fields show for options, such as those of an infotext; what is not set is left out."""
    values = options.set_fields()
    if "hires" in values:
        scale = values.get("hires_scale")
        values["hires"] = _OFF if not values["hires"] else _ON if scale is None else f"{scale:g}x"
    return [field.shown(values.get(field.option.name)) for field in fields]


def typed_options(fields: Sequence[OptionField], values: Sequence[object]) -> GenerationOptions:
    """Return the options that the fields' values mean; raises RequestError."""
    typed = {field.option.name: field.read(value) for field, value in zip(fields, values, strict=True)}
    return GenerationOptions.typed(typed)
