"""Infotexts as programs hand them over: in JSON, with its escapes, or in HTML. Undone only where it is plain."""

import html
import re
from collections.abc import Iterator

from pastelbot.formats.json_texts import parse_json

_SETTINGS = r"(?:Negative prompt:|Steps: *\d)"
_ESCAPED = re.compile(rf"(?:\\r)?\\n(?={_SETTINGS})", re.IGNORECASE)
_BREAK = re.compile(rf"<br ?/?>\s*+(?={_SETTINGS})", re.IGNORECASE)
_ANY_BREAK = re.compile(r"<br ?/?>\n?", re.IGNORECASE)
_PARAGRAPH = re.compile(r"</?(?:p|pre|code|div)>", re.IGNORECASE)
_ENTITY = re.compile(r"&lt;(?:lora|lyco|hypernet):", re.IGNORECASE)
_DOTS = re.compile(r"(?<=[^.])\.{1,2}(?=Negative prompt:|Steps: *\d+ *,)")  # exiftool's line breaks
_COLOURS = re.compile(r"\x1b\[[\d;]*+m")
_FENCED = re.compile(r"\A(`{4,}|~{3,})\w*+\n(.*)\n\1\Z", re.DOTALL)
_DEEPEST = 6
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


def without_markup(text: str) -> str:
    """Return the text with its line breaks as they are meant, out of JSON or HTML; any other text as it is."""
    text = _FENCED.sub(r"\2", _COLOURS.sub("", _LINE_ENDS.sub("\n", text)))
    if text.startswith(("{", "[", '"')) and (inside := _out_of_json(text)) is not None:
        text = _LINE_ENDS.sub("\n", inside)
    if "\n" not in text and _ESCAPED.search(text):
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    if "\n" not in text:
        text = _DOTS.sub("\n", text)
    if _ENTITY.search(text) and not _BREAK.search(text):
        text = html.unescape(text)
    if _BREAK.search(text):
        text = html.unescape(_PARAGRAPH.sub("", _ANY_BREAK.sub("\n", text)))
    return text


def _out_of_json(text: str) -> str | None:
    """Return the first string of a whole text in JSON that has settings; None where there is none."""
    try:
        content = parse_json(text)
    except ValueError:
        return None
    return next((each for each in _strings(content) if re.search(r"\bSteps: *\d", each)), None)


def _strings(content: object, depth: int = 0) -> Iterator[str]:
    """Yield the strings in JSON, also in JSON that is a string of another, as the webui's API answers."""
    if isinstance(content, dict | list) and depth < _DEEPEST:
        for each in content.values() if isinstance(content, dict) else content:
            yield from _strings(each, depth + 1)
    elif isinstance(content, str):
        try:
            inner = parse_json(content) if content.startswith("{") else None
        except ValueError:
            inner = None
        yield from (content,) if inner is None else _strings(inner, depth + 1)
