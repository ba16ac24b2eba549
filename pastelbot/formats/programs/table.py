"""The programs whose pictures are understood, a row each: how they are known, and what reads them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pastelbot.errors import RequestError
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.programs.comfyui import comfyui_settings
from pastelbot.formats.programs.settings import ProgramSettings, flat_settings, with_loras

Texts = Mapping[str, str]
_LEAST_FIELDS = 2
_Size = tuple[int, int]
_DREAM_FLAG = re.compile(r"-(\w)(\S*)")
_DREAM_FLAGS = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg scale", "A": "sampler"}


class _Program(NamedTuple):
    """A program; `read` returns nothing where the texts are not its own, or say nothing."""

    name: str
    is_its_own: Callable[[Texts], bool]
    read: Callable[[Texts, _Size], ProgramSettings | None]


def translated(texts: Texts, size: _Size, what: str) -> str | None:
    """Return the settings that another program wrote into a picture, as an infotext; None where none is known.

    Raises RequestError where the program is known but not what it wrote. `what` is the picture's name.
    """
    for program in _PROGRAMS:
        if program.is_its_own(texts):
            settings = program.read(texts, size)
            if settings is None or not settings.prompt or len(settings.fields) < _LEAST_FIELDS:
                raise RequestError(
                    f"{what} was made with {program.name}, but says too little of how to paint it again."
                )
            return settings.format(program.name)
    return None


def chunks_in(hidden: str) -> Texts:
    """Return the chunks of a picture that NovelAI hides in its pixels as one JSON object."""
    return {name: value for name, value in _object(hidden).items() if isinstance(value, str)}


def _object(text: str | None) -> Mapping[str, Any]:
    """Return the object that a text of JSON is, nothing for other texts."""
    try:
        found = parse_json(text) if text is not None and text.lstrip().startswith("{") else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _parameters(texts: Texts) -> Mapping[str, Any]:
    return _object(texts.get("parameters") or texts.get("UserComment"))


def _novelai(texts: Texts, size: _Size) -> ProgramSettings | None:
    """Read NovelAI's chunks as the webui does."""
    data = {key: value for key, value in _object(texts.get("Comment")).items() if key in _NOVELAI}
    settings = flat_settings({"prompt": texts.get("Description", ""), **data}, size=size)
    return settings and settings._replace(fields={**settings.fields, "Clip skip": "2", "ENSD": "31337"})


_NOVELAI = ("prompt", "uc", "steps", "sampler", "scale", "seed", "width", "height", "noise_schedule")


def _invokeai(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = (
        _object(texts.get("invokeai_metadata")) or _object(texts.get("invokeai")) or _object(texts.get("sd-metadata"))
    )
    if isinstance(data.get("image"), dict):
        data = {**{key: value for key, value in data.items() if key == "model_weights"}, **data["image"]}
    if not data and "Dream" in texts:
        data = _dream(texts["Dream"])
    settings = flat_settings(data, size=size)
    loras = {}
    for each in data.get("loras") or ():
        model = each.get("lora") or each.get("model") or {} if isinstance(each, dict) else {}
        if isinstance(model, dict) and (name := model.get("model_name") or model.get("name")):
            loras[str(name)] = str(each.get("weight", 1))
    return settings and settings._replace(prompt=with_loras(settings.prompt, loras))


def _dream(text: str) -> Mapping[str, Any]:
    """Read a command line of early InvokeAI: a prompt, mostly in quotes, and flags such as `-s 50 -W512` behind it."""
    words = text.split()
    found: dict[str, str] = {}
    while words:  # from the end, word by word, so that no text takes long
        alone, behind = _DREAM_FLAG.fullmatch(words[-1]), _DREAM_FLAG.fullmatch(words[-2]) if len(words) > 1 else None
        flag, value = (behind[1], words.pop()) if behind and not (alone or behind[2]) else ("", "")
        if alone is not None:
            flag, value = alone[1], alone[2]
        if not flag:
            break
        words.pop()
        if value and flag in _DREAM_FLAGS:
            found[_DREAM_FLAGS[flag]] = value
    return {"prompt": " ".join(words).strip('"'), **found} if found else {}


def _fooocus(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = _parameters(texts)
    settings = flat_settings(data, size=size)
    loras = {str(each[0]): str(each[1]) for each in data.get("loras") or () if isinstance(each, list) and len(each) > 1}
    return settings and settings._replace(prompt=with_loras(settings.prompt, loras))


def _draw_things(texts: Texts, size: _Size) -> ProgramSettings | None:
    return flat_settings({key: value for key, value in _parameters(texts).items() if key != "v2"}, size=size)


def _swarmui(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = _parameters(texts).get("sui_image_params")
    return flat_settings(data, size=size) if isinstance(data, dict) else None


_PROGRAMS = (
    _Program(
        "NovelAI",
        lambda texts: texts.get("Software", "").startswith("NovelAI") or "uc" in _object(texts.get("Comment")),
        _novelai,
    ),
    _Program(
        "InvokeAI",
        lambda texts: bool({"invokeai_metadata", "invokeai", "sd-metadata", "Dream"} & texts.keys()),
        _invokeai,
    ),
    _Program("SwarmUI", lambda texts: "sui_image_params" in _parameters(texts), _swarmui),
    _Program(
        "Fooocus",
        lambda texts: "fooocus_scheme" in texts or {"base_model", "prompt"} <= _parameters(texts).keys(),
        _fooocus,
    ),
    _Program("Draw Things", lambda texts: {"c", "uc"} <= _parameters(texts).keys(), _draw_things),
    _Program(
        "ComfyUI",
        lambda texts: "workflow" in texts or "class_type" in texts.get("prompt", ""),
        lambda texts, size: comfyui_settings(_object(texts.get("prompt")), size),
    ),
    _Program(
        "Easy Diffusion",
        lambda texts: "num_inference_steps" in texts or "num_inference_steps" in _parameters(texts),
        lambda texts, size: flat_settings(_parameters(texts) or dict(texts), size=size),
    ),
)
