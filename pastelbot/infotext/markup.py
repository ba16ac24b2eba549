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
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


def without_markup(text: str) -> str:
    """Return the text with its line breaks as they are meant, out of JSON or HTML; any other text as it is."""
    text = _LINE_ENDS.sub("\n", text)
    if text.startswith(("{", '"')) and (inside := _out_of_json(text)) is not None:
        text = _LINE_ENDS.sub("\n", inside)
    if "\n" not in text and _ESCAPED.search(text):
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
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


def _strings(content: object) -> Iterator[str]:
    values = content.values() if isinstance(content, dict) else (content,)
    yield from (each for each in values if isinstance(each, str))
