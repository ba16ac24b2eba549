"""Settings that people paste as a program takes or logs them: a command with flags, or rows of the webui's log."""

import csv
import io
import re

from pastelbot.formats.programs.invokeai import dream_settings
from pastelbot.formats.programs.settings import ProgramSettings, flat_settings

_FENCE = re.compile(r"\A`{1,3}(?:\w*+\n)?|`{1,3}\Z")
_CONTINUED = re.compile(r"[\\^`]\n\s*+")
_INFOTEXT = re.compile(r"\bSteps: *\d", re.IGNORECASE)
# A flag and its value: in quotation marks, or all up to the next flag, as the webui's prompts from a file may be.
_FLAG = re.compile(
    r"(?:^|\s)--?([A-Za-z][\w-]*+)(?:=|[ \t]++)"
    r"""(?:"((?:[^"\\]|\\.)*+)"|'([^'\n]*+)'|((?!--?[A-Za-z])(?:(?!\s--?[A-Za-z])[^\n])++))"""
)
_ESCAPED = re.compile(r'\\(["\\])')
# What flags and columns are called that have not the usual names.
_FLAGS = {
    "p": "prompt",
    "n": "negative prompt",
    "s": "seed",
    "w": "width",
    "W": "width",
    "h": "height",
    "H": "height",
    "m": "model",
    "ddim_steps": "steps",
    "sampling-method": "sampler",
}
_COLUMNS = {"cfgs": "cfg scale", "sd_model_name": "model", "sd_model_hash": "base model hash"}
_OF_FILES = {"filename", "outdir", "output", "o"}  # says where a picture went, not how it was painted
_OTHERS_NEEDED = {"Sampler", "CFG scale", "Seed", "Size"}
_DREAM = (re.compile(r"\s-s ?\d{1,4}(?!\S)"), re.compile(r"\s-S ?\d{1,10}(?!\S)"))
_DREAM_PROMPT = re.compile(r"\A(?:!dream|(?:dream|invoke)>)\s*+")
_LOG_HEADER = re.compile(
    r"(?=[^\n]*\bprompt\b)(?=[^\n]*\bsteps\b)(?=[^\n]*\bseed\b)[\w\"' -]+(?:[,;\t][\w\"' -]+){3,}+\n", re.IGNORECASE
)
# A call of Python, and a command as Discord shows one that was given.
_ARGUMENT = re.compile(
    r"""\b([a-z]\w*+)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|(-?[\d.]+)(?=\s*[,)\n]|\Z))"""
)
_CALL = re.compile(r"[(,]\s*+prompt\s*+=\s*+[\"']")
_CALL_STEPS = re.compile(r"\b(?:num_inference_steps|steps)\s*+=\s*+\d")
_COMMAND = re.compile(r"\A/\w+ (?=prompt: ?\S)")
_OPTION = re.compile(
    r"(?:\A|\s)(prompt|negative(?:_prompt)?|steps|sampler|schedule|cfg(?:_scale)?|seed|size|width|height|clip_skip): ?"
)


def pasted_infotext(text: str) -> str | None:
    """Return the infotext of a command line, or of the first row of the webui's `log.csv`; None of any other text."""
    text = _CONTINUED.sub(" ", _FENCE.sub("", text.strip()).strip())
    program = ""  # of the webui, which says the same in other words
    if _LOG_HEADER.match(text):
        settings = _logged(text)
    elif (begin := _COMMAND.match(text)) is not None:
        settings = flat_settings(_options(text[begin.end() :]))
    elif _is_call(text) and not _INFOTEXT.search(text):
        given = {match[1]: next(filter(None, match.groups()[1:]), "") for match in _ARGUMENT.finditer(text)}
        settings = flat_settings(given)
    elif "\n" in text or _INFOTEXT.search(text):
        return None
    elif all(flag.search(text) for flag in _DREAM):
        settings, program = dream_settings(_DREAM_PROMPT.sub("", text), None), "InvokeAI"
    else:
        flags = {match[1]: _value(match) for match in _FLAG.finditer(text)}
        settings = flat_settings({_FLAGS.get(name, name): it for name, it in flags.items() if name not in _OF_FILES})
        program = "stable-diffusion.cpp" if "p" in flags else ""
    if settings is None or not settings.prompt or not _OTHERS_NEEDED & settings.fields.keys():
        return None
    return settings.format(program)


def _value(match: re.Match[str]) -> str:
    """Return a flag's value, which has backslashes before quotation marks where it stands in such marks."""
    _flag, quoted, single, bare = match.groups()
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted)
    return single if single is not None else bare.strip()


def _is_call(text: str) -> bool:
    """Return whether a text has a call of Python with a prompt and, behind it, steps."""
    begin = _CALL.search(text)
    return begin is not None and _CALL_STEPS.search(text, begin.end()) is not None


def _options(text: str) -> dict[str, str]:
    """Return the options of a command of Discord by name, as it shows them: `prompt:1girl steps:20`."""
    _before, *parts = _OPTION.split(text)
    return dict(zip(parts[::2], (value.strip() for value in parts[1::2]), strict=False))


def _logged(text: str) -> ProgramSettings | None:
    sign = next((each for each in ",;\t" if each in text[: text.index("\n")]), ",")
    try:
        row = next(csv.DictReader(io.StringIO(text), delimiter=sign), {})
    except csv.Error:
        return None
    return flat_settings({_COLUMNS.get(name, name): it for name, it in row.items() if name and name not in _OF_FILES})
