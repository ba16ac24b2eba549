"""InvokeAI's settings: since version 3 in a record of its own, before that in another one or as a command line."""

import re
from collections.abc import Mapping
from typing import Any

from pastelbot.formats.programs.settings import ProgramSettings, flat_settings, with_loras

_DREAM_FLAG = re.compile(r"-(\w)(\S*)")
_DREAM_FLAGS = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg scale", "A": "sampler"}
_LEFT_OUT = re.compile(r"\[([^\[\]]*+)\]")
_KARRAS = "_k"


def invokeai_settings(data: Mapping[str, Any], size: tuple[int, int] | None) -> ProgramSettings | None:
    """Return the settings of either record; None where it does not say how it was painted."""
    if isinstance(data.get("image"), dict):
        weights = {key: value for key, value in data.items() if key == "model_weights"}
        settings = flat_settings({**weights, **data["image"]}, size=size)
        return settings and _without_brackets(settings)
    settings = flat_settings(data, size=size)
    return settings and _as_the_webui_counts(settings, data)


def dream_settings(line: str, size: tuple[int, int] | None) -> ProgramSettings | None:
    """Return the settings of a command line: a prompt, mostly in quotes, and flags such as `-s 50 -W512` behind it."""
    prompt, quote, flags = line.strip().removeprefix('"').rpartition('"')
    if not quote:
        prompt, flags = "", line
    words = flags.split()
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
    settings = flat_settings({"prompt": prompt or " ".join(words), **found}, size=size) if found else None
    return settings and _without_brackets(settings)


def _without_brackets(settings: ProgramSettings) -> ProgramSettings:
    """Take what is in square brackets out of a prompt: until version 3 that was the negative prompt."""
    negative = " ".join(_LEFT_OUT.findall(settings.prompt)).strip()
    if not negative:
        return settings
    prompt = re.sub(" ++", " ", _LEFT_OUT.sub(" ", settings.prompt)).strip()
    return settings._replace(prompt=prompt, negative_prompt=negative)


def _as_the_webui_counts(settings: ProgramSettings, data: Mapping[str, Any]) -> ProgramSettings:
    fields = dict(settings.fields)
    if isinstance(skipped := data.get("clip_skip"), int):
        fields["Clip skip"] = str(skipped + 1)  # it counts the layers that are left out, the webui one more
    if data.get("rand_device") != "cuda":
        fields["RNG"] = "CPU"
    loras: dict[str, str] = {}
    listed = data.get("loras")
    for each in listed if isinstance(listed, list) else ():
        model = each.get("lora") or each.get("model") or {} if isinstance(each, dict) else {}
        if isinstance(model, dict) and (name := model.get("model_name") or model.get("name")):
            loras[str(name)] = str(each.get("weight", 1))
    return ProgramSettings(with_loras(settings.prompt, loras), settings.negative_prompt, fields)
