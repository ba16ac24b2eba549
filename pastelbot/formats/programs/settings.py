"""The settings of a picture as its program wrote them, and their text in the webui's form."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

_QUOTED = re.compile(r'[,\n:"]')
_SIGNS = re.compile(r"[\W_]+")
_SIZE = re.compile(r"(\d{1,6})\D{1,3}(\d{1,6})")
_MOST_OTHERS = 20
_LONGEST_OTHER = 200
# The fields that programs call otherwise, by their names without signs and capitals.
_FIELDS: Mapping[str, str] = {
    "steps": "Steps",
    "numinferencesteps": "Steps",
    "sampler": "Sampler",
    "samplername": "Sampler",
    "scheduler": "Schedule type",
    "schedule": "Schedule type",
    "scale": "CFG scale",
    "cfg": "CFG scale",
    "cfgscale": "CFG scale",
    "guidancescale": "CFG scale",
    "seed": "Seed",
    "width": "Width",
    "height": "Height",
    "size": "Size",
    "resolution": "Size",
    "model": "Model",
    "basemodel": "Model",
    "basemodelhash": "Model hash",
    "modelweights": "Model",
    "usestablediffusionmodel": "Model",
    "vae": "VAE",
    "usevaemodel": "VAE",
    "clipskip": "Clip skip",
    "stablediffusionmodel": "Model",
}
_PROMPTS = ("prompt", "positiveprompt", "c")
_NEGATIVES = ("negativeprompt", "uc")
# LoRAs by their names, and their weights beside them.
_LORAS = {"loras": "loraweights", "useloramodel": "loraalpha", "loramodel": "lorastrength"}


class ProgramSettings(NamedTuple):
    """The prompts of a picture, and its fields by the webui's names or the program's own."""

    prompt: str
    negative_prompt: str
    fields: Mapping[str, str]

    def format(self, program: str) -> str:
        """Return the settings as an infotext, which says what they are of."""
        fields = {**self.fields, "Made with": program}
        line = ", ".join(f"{name}: {_written(value)}" for name, value in fields.items() if value)
        negative = f"\nNegative prompt: {self.negative_prompt}" if self.negative_prompt else ""
        return f"{self.prompt}{negative}\n{line}".strip()


def flat_settings(data: Mapping[str, object], *, size: tuple[int, int] | None = None) -> ProgramSettings | None:
    """Return the settings of an object with one value a name; None where it does not say how it was painted.

    `size` is the picture's, for programs that do not write it.
    """
    plain = {_SIGNS.sub("", name).lower(): value for name, value in data.items()}
    fields: dict[str, str] = {}
    elsewhere = {*_PROMPTS, *_NEGATIVES, *_LORAS.keys(), *_LORAS.values()}
    for name, value in data.items():
        key, text = _SIGNS.sub("", name).lower(), _text(value)
        known = _FIELDS.get(key)
        if known is not None and text:
            fields.setdefault(known, text)
        elif known is None and key not in elsewhere and _is_shown(value) and len(fields) < _MOST_OTHERS:
            fields.setdefault(_SIGNS.sub(" ", name).strip()[:40] or "other", text[:_LONGEST_OTHER])
    _add_size(fields, size)
    if "Sampler" not in fields and "Schedule type" in fields:
        fields["Sampler"] = fields.pop("Schedule type")  # InvokeAI and diffusers call the sampler so
    if not {"Steps", "Seed"} & fields.keys():
        return None
    prompt = with_loras(_first(plain, _PROMPTS), _weighted(plain))
    return ProgramSettings(prompt, _first(plain, _NEGATIVES), fields)


def _weighted(plain: Mapping[str, object]) -> dict[str, str]:
    """Return the LoRAs that are listed by name with a list of weights beside them."""
    loras: dict[str, str] = {}
    for names, weights in _LORAS.items():
        listed = _listed(plain.get(weights))
        for place, name in enumerate(_listed(plain.get(names))):
            loras[name] = listed[place] if place < len(listed) else "1"
    return loras


def _listed(value: object) -> list[str]:
    """Return the items of a list of texts and numbers, of Python's text of one, or of one with commas."""
    if isinstance(value, str):
        items: list[object] = [each.strip().strip("'\"") for each in value.strip().strip("[]").split(",")]
    else:
        items = value if isinstance(value, list) else [value]
    return [text for each in items if isinstance(each, str | int | float) and (text := str(each)) not in ("", "None")]


def with_loras(prompt: str, loras: Mapping[str, str]) -> str:
    """Return a prompt with LoRAs by name and weight as the webui writes them; those that it has already count once."""
    tags = (f"<lora:{name}:{weight}>" for name, weight in loras.items() if name and f"<lora:{name}:" not in prompt)
    return " ".join([prompt, *tags]).strip()


def _add_size(fields: dict[str, str], size: tuple[int, int] | None) -> None:
    width, height = fields.pop("Width", ""), fields.pop("Height", "")
    if width and height:
        fields["Size"] = f"{width}x{height}"
    elif (match := _SIZE.search(fields.get("Size", ""))) is not None:
        fields["Size"] = f"{match[1]}x{match[2]}"
    elif size is not None:
        fields["Size"] = f"{size[0]}x{size[1]}"


def _first(plain: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(plain.get(name)))), "")


def _text(value: object) -> str:
    """Return a value as text; of an object its name, of old InvokeAI's list of prompts the first."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, dict):
        return next((_text(value[key]) for key in ("model_name", "name", "prompt") if key in value), "")
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _text(value[0])
    return ", ".join(map(str, value)) if isinstance(value, list) and all(isinstance(v, int) for v in value) else ""


def _is_shown(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value not in ("", 0)


def _written(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if _QUOTED.search(value) else value
