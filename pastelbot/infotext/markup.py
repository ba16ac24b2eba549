"""Infotexts as programs hand them over: in JSON, with its escapes, or in HTML. Undone only where it is plain."""

import html
import re
from collections.abc import Iterator

from pastelbot.formats.json_texts import parse_json
from pastelbot.infotext.layouts import in_one_line

_SETTINGS = r"(?:Negative prompt:|Steps: *\d)"
_ESCAPED = re.compile(rf"(?:\\r)?\\n(?={_SETTINGS})", re.IGNORECASE)
_BREAK = re.compile(rf"<br ?/?>\s*+(?:<\w+[^<>]*>\s*+)*+(?={_SETTINGS})", re.IGNORECASE)
_ANY_BREAK = re.compile(r"<br ?/?>\n?", re.IGNORECASE)
_END_OF_PARAGRAPH = re.compile(r"</(?:p|pre|div|blockquote|li)>(?=\s*<)", re.IGNORECASE)
_PARAGRAPH = re.compile(r"</?(?:p|pre|code|div|span|blockquote|ul|ol|li)(?: [^<>]*)?>", re.IGNORECASE)
_ELEMENT = re.compile(r"\A<(p|pre|code|div|span|blockquote|ul|ol)[ >].*</\1>\Z", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&lt;(?:lora|lyco|hypernet):", re.IGNORECASE)
_BREAK_ENTITY = re.compile(rf"&#(?:10|x0?a);\s*+(?={_SETTINGS})", re.IGNORECASE)
_DOTS = re.compile(r"(?<=[^.])\.{1,2}(?=Negative prompt:|Steps: *\d+ *,)")  # exiftool's line breaks
_COLOURS = re.compile(r"\x1b\[[\d;]*+m")
_FENCED = re.compile(r"\A(`{4,}|~{3,})\w*+\n(.*)\n\1\Z", re.DOTALL)
_QUOTES = re.compile(r"^(?:&gt; )++", re.MULTILINE)
_QUOTED_SETTINGS = re.compile(r"^(?:&gt; )++[^\n]*\bSteps: *\d", re.MULTILINE | re.IGNORECASE)
# Signs that are not seen, and blanks of other widths, which pages and chat programs put between letters and words.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BLANKS = re.compile("[\xa0\u2002-\u200a\u202f\u3000]")
_LABELS = re.compile(
    r"Negative prompt:|Steps: \d++(?=,)|Sampler: [\w+ ]++(?=,)|CFG scale: [\d.]++(?=,)"
    r"|(?:Seed: \d++|Size: \d++x\d++)(?=,|\n|$)",
    re.IGNORECASE,
)
_DEEPEST = 6
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


def without_markup(text: str) -> str:
    """Return the text with its line breaks as they are meant, out of JSON or HTML; any other text as it is."""
    text = _FENCED.sub(r"\2", _COLOURS.sub("", _LINE_ENDS.sub("\n", text.replace("\0", ""))))
    if text.startswith(("{", "[", '"')) and (inside := _out_of_json(text)) is not None:
        text = _LINE_ENDS.sub("\n", inside)
    if "\n" not in text and _ESCAPED.search(text):
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    if "\n" not in text:
        text = _DOTS.sub("\n", text)
    if _BREAK_ENTITY.search(text):
        text = html.unescape(text)
    if _ENTITY.search(text) and not _BREAK.search(text):
        text = html.unescape(text)
    if _BREAK.search(text) or _ELEMENT.match(text):
        text = html.unescape(_PARAGRAPH.sub("", _END_OF_PARAGRAPH.sub("\n", _ANY_BREAK.sub("\n", text))))
    if _QUOTED_SETTINGS.search(text):
        text = _QUOTES.sub(lambda quote: quote[0].replace("&gt;", ">"), text)
    return in_one_line(_plain_signs(text))


def _plain_signs(text: str) -> str:
    """Return a text without signs that are not seen, where they are in its labels or values, not in a prompt alone."""
    plain = _BLANKS.sub(" ", _UNSEEN.sub("", text))
    return plain if len(_LABELS.findall(plain)) > len(_LABELS.findall(text)) else text


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
