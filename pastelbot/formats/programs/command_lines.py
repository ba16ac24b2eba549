"""Settings that people paste as a program takes or logs them: a command with flags, or a row of the webui's log."""

import csv
import io
import re
from collections.abc import Mapping
from typing import NamedTuple

from pastelbot.formats.programs.invokeai import dream_settings
from pastelbot.formats.programs.settings import ProgramSettings, flat_settings

_CONTINUED = re.compile(r"[\\^`]\n\s*+")
_INFOTEXT = re.compile(r"\bSteps: *\d", re.IGNORECASE)
# A flag and its value: in quotation marks, or all up to the next flag, as the webui's prompts from a file may be.
_FLAG = re.compile(
    r"(?:^|\s)--?([A-Za-z][\w-]*+)(?:=|[ \t]++)"
    r"""(?:"((?:[^"\\]|\\.)*+)"|'([^'\n]*+)'|((?!--?[A-Za-z])(?:(?!\s--?[A-Za-z])[^\n])++))"""
)
_ESCAPED = re.compile(r'\\(["\\])')
_FLAGS = {
    "p": "prompt",
    "prompt": "prompt",
    "n": "negative prompt",
    "negativeprompt": "negative prompt",
    "steps": "steps",
    "ddimsteps": "steps",
    "numinferencesteps": "steps",
    "sampler": "sampler",
    "samplername": "sampler",
    "samplingmethod": "sampler",
    "scheduler": "scheduler",
    "scale": "cfg scale",
    "cfgscale": "cfg scale",
    "guidancescale": "cfg scale",
    "s": "seed",
    "seed": "seed",
    "W": "width",
    "w": "width",
    "width": "width",
    "H": "height",
    "h": "height",
    "height": "height",
    "clipskip": "clip skip",
    "m": "model",
    "model": "model",
}
_NEEDED = {"prompt", "steps"}
_FEWEST = 4
_DREAM = (re.compile(r"\s-s ?\d{1,4}(?!\S)"), re.compile(r"\s-S ?\d{1,10}(?!\S)"))
_DREAM_PROMPT = re.compile(r"\A(?:!dream|(?:dream|invoke)>)\s*+")
_LOG_HEADER = "prompt,seed,width,height,sampler,cfgs,steps,"
_LOG_COLUMNS = {
    **{name: name for name in ("prompt", "negative_prompt", "seed", "width", "height", "sampler", "steps")},
    "cfgs": "cfg scale",
    "sd_model_name": "model",
    "sd_model_hash": "base model hash",
}


class PastedSettings(NamedTuple):
    """What was pasted, and the program that it is of, "" where it paints as the webui does."""

    settings: ProgramSettings
    program: str


def pasted_settings(text: str) -> PastedSettings | None:
    """Return the settings of a command line, or of the first row of the webui's `log.csv`; None of any other text."""
    text = _CONTINUED.sub(" ", text.strip())
    if text.startswith(_LOG_HEADER):
        return _known(_logged(text), "")
    if "\n" in text or _INFOTEXT.search(text):
        return None
    if all(flag.search(text) for flag in _DREAM):
        return _known(dream_settings(_DREAM_PROMPT.sub("", text), None), "InvokeAI")
    found = {
        known: _value(match) for match in _FLAG.finditer(text) if (known := _FLAGS.get(_plain(match[1]))) is not None
    }
    if not found.keys() >= _NEEDED or len(found) < _FEWEST:
        return None
    return _known(flat_settings(found), "" if "--prompt" in text else "stable-diffusion.cpp")


def _known(settings: ProgramSettings | None, program: str) -> PastedSettings | None:
    return PastedSettings(settings, program) if settings is not None and settings.prompt else None


def _plain(flag: str) -> str:
    return flag if len(flag) == 1 else re.sub(r"[-_]", "", flag).lower()


def _value(match: re.Match[str]) -> str:
    """Return a flag's value, which has backslashes before quotation marks where it stands in such marks."""
    _flag, quoted, single, bare = match.groups()
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted)
    return single if single is not None else bare.strip()


def _logged(text: str) -> ProgramSettings | None:
    try:
        row: Mapping[str, str | None] = next(csv.DictReader(io.StringIO(text), restkey="more"), {})
    except csv.Error:
        return None
    return flat_settings({known: row[name] or "" for name, known in _LOG_COLUMNS.items() if name in row})
