"""Settings in another layout than one line: a name over its value, tables, keys of the API, words of languages."""

import ast
import itertools
import json
import re
from urllib.parse import unquote

_NAMES = {
    "steps": "Steps",
    "sampler": "Sampler",
    "samplername": "Sampler",
    "scheduler": "Schedule type",
    "scheduletype": "Schedule type",
    "cfgscale": "CFG scale",
    "seed": "Seed",
    "size": "Size",
    "width": "Width",
    "height": "Height",
    "model": "Model",
    "modelhash": "Model hash",
    "clipskip": "Clip skip",
    "denoisingstrength": "Denoising strength",
    "prompt": "Prompt",
    "negativeprompt": "Negative prompt",
}
_WORDS = {
    "(?:迭代|采样)?步数|ステップ数?|サンプリングステップ数?": "Steps",
    "采样(?:器|方法)|サンプラー|サンプリング方法": "Sampler",
    "提示词(?:引导系数|相关性)|引导系数|CFG ?スケール|CFG": "CFG scale",
    "(?:随机)?种子|シード値?": "Seed",
    "(?:图片|图像)?(?:尺寸|大小)|(?:画像)?サイズ": "Size",
    "(?:基础)?模型|モデル": "Model",
}
_OTHER_STEPS = re.compile(rf"(?:{next(iter(_WORDS))})[*_ ]*[:：] ?\d")
_NAME = r"[ \t]*+[*_#`]*+[ \t]*+([A-Za-z][A-Za-z _-]{2,24}?)[ \t]*+[*_`]*+"
# A line that is a name, and the line of its value; a row of a table; a key and its value, with a colon or another sign.
_PAIRS = (
    re.compile(rf"^{_NAME}[:：]?+[*_ \t]*+\n(?:(?:txt2img|img2img)\n)?+([^\n]++)$", re.MULTILINE),
    re.compile(rf"^[ \t]*+\|{_NAME}[ \t]*+\|([^|\n]*+)\|?+[ \t]*+$", re.MULTILINE),
    re.compile(r"^[ \t]*+([a-z][a-z_]{2,24}):([^\n]++)$", re.MULTILINE),
    re.compile(r"^[ \t]*+([A-Za-z][A-Za-z _-]{2,24}?)(?:\t++| ?= ?)([^\n]++)$", re.MULTILINE),
)
_TABLE_RULE = re.compile(r"^[ \t]*+\|?(?:[ \t]*+:?-{3,}+:?[ \t]*+\|)++[ \t]*+(?::?-{3,}+:?)?[ \t]*+\n", re.MULTILINE)
_FEWEST = 4
_EQUALS = re.compile(r"([A-Za-z][\w -]{1,40}?) ?= ?(?=[^=\s])")
_EQUALS_LINE = re.compile(r"^(?=.*\bSteps ?= ?\d+ ?[,;|])[^\n]*$", re.MULTILINE | re.IGNORECASE)
_PERCENT = re.compile(r"Steps(?::|%3A)(?:%20|\+)?\d", re.IGNORECASE)
_LAST_MARKS = re.compile(
    r" ?\((?:edited|bearbeitet|editado|modifié|изменено|編集済み?|已编辑|已編輯|수정됨)\)$", re.MULTILINE
)
_IN_PARENTHESES = re.compile(r"[(\[] ?(Steps: *+\d++ *+,[^\n]*+)$", re.MULTILINE)


_KEY_OF_JSON = re.compile(r"""["'](?:steps|num_inference_steps|seed)["']\s*:""")
_PLAIN_SETTINGS = re.compile(r"\bSteps: *\d+ *,")
_OBJECT = re.compile(r"\{(?=\s*\")")
_MOST_OBJECTS = 20
_DECODER = json.JSONDecoder()


def in_one_line(text: str) -> str:
    """Return a text whose settings are in the webui's layout; any other text as it is."""
    text = _LAST_MARKS.sub("", text)
    if _PERCENT.search(text) and " " not in text:
        text = unquote(text.replace("+", " "))
    if _OTHER_STEPS.search(text):
        for words, name in _WORDS.items():
            text = re.sub(rf"(?:{words})(?=[*_ ]*[:：])", name, text)
    text = _EQUALS_LINE.sub(lambda line: _EQUALS.sub(r"\1: ", line[0]), text)
    for pairs in _PAIRS:
        text = _paired(text, pairs)
    return _IN_PARENTHESES.sub(_bare, text)


def _bare(match: re.Match[str]) -> str:
    """Return settings that stand in parentheses on a line of their own; others as they are."""
    return "\n" + match[1].rstrip(")] ") if match[1].endswith((")", "]")) else match[0]


def _paired(text: str, pairs: re.Pattern[str]) -> str:
    """Return a text whose pairs of a known name and a value are lines of their own, where most settings are such."""
    known = {_NAMES[name] for match in pairs.finditer(text) if (name := _plain(match[1])) in _NAMES}
    if "Steps" not in known or len(known) < _FEWEST:
        return text
    changed = pairs.sub(lambda match: _line(match) if _plain(match[1]) in _NAMES else match[0], text)
    return _TABLE_RULE.sub("", changed)


def _line(match: re.Match[str]) -> str:
    value = match[2].strip()
    inner = value[1:-1]
    if value[:1] in ("'", '"') and value == value[0] + inner + value[0] and value[0] not in inner:
        value = inner
    return f"{_NAMES[_plain(match[1])]}: {value}"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def as_json(text: str) -> str:
    """Return settings in JSON, out of a code block, a list or a command; a dictionary of Python's in JSON.

    Any other text stays as it is.
    """
    if _KEY_OF_JSON.search(text) and not _PLAIN_SETTINGS.search(text):
        for begin in itertools.islice(_OBJECT.finditer(text), _MOST_OBJECTS):
            try:
                value, _end = _DECODER.raw_decode(text, begin.start())
            except (ValueError, RecursionError):
                continue
            return json.dumps(value, ensure_ascii=False)
    if not re.match(r"\s*\{\s*'", text):
        return text
    try:
        return json.dumps(ast.literal_eval(text.strip()), ensure_ascii=False)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
