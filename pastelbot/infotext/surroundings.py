"""What people and programs put around an infotext: tags, brackets, an introduction, headings, who wrote it, a table."""

import csv
import io
import re

_STEPS = re.compile(r"\bSteps: *\d", re.IGNORECASE)
_SETTINGS = re.compile(r"\bSteps: *\d+ *,", re.IGNORECASE)
_TAGS = (
    "(?:positive[ _-]?)?prompt|positive|pos|infotext|param(?:eter)?s|settings|metadata|info|"
    "negative(?:[ _-]?prompt)?|neg"
)
_TAG = re.compile(rf"(?:(?<!\s)\s++)?+<(/?)({_TAGS})>\s*+", re.IGNORECASE)
_BRACKETS = {"{": "}", "[": "]", "(": ")", "<": ">", "«": "»", "【": "】", "『": "』"}
_COMMAS = re.compile(r"(?:(?<!\s)\s++)?+,\s++(?=(?:Negative prompt|Steps): *)", re.IGNORECASE)
_WRITER = re.compile(r"^\[?\d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M)?\]?,? ?[-–]? ?<?[^\n:<>,]{1,40}(?:: |> )", re.MULTILINE)
_LABEL = re.compile(r"[\W_]*(?:negative|neg|np|p|pos|positive|prompts?|steps)\b", re.IGNORECASE)
_INTRODUCTION = re.compile(
    r"\A(?=[^\n]*\b(?:settings?|prompts?|param(?:eter)?s?|infotext|metadata|recipe|workflow|info|details|config|data"
    r"|here|used|wrote|generated)\b)[^\n<]{1,200}:[*_ ]*\n\s*(?=\S)",
    re.IGNORECASE,
)
_SAID_BEFORE = re.compile(
    r"\A(?:(?:my|the|here(?:'s| are| is))\b[^\n:,]{0,40} )?"
    r"(?:(?:generation |image )?(?:settings|data|details|param(?:eter)?s)"
    r"|metadata|png ?info|workflow):[ \t]+(?=[^\s|>])",
    re.IGNORECASE,
)
_TITLE = re.compile(r"\A#{1,6} (?![^\n]*(?:prompt|:))[^\n]*\n\s*(?=\S)", re.IGNORECASE)
_IN_ONE_LINE = re.compile(r" ([|/;·•–—]) Steps: *\d+ *\1 ")
_UNSEEN = "[\u200b\u2060\ufeff]"
_ENDS = re.compile(f"(?<!{_UNSEEN}){_UNSEEN}++$|^{_UNSEEN}++", re.MULTILINE)


def without_surroundings(text: str) -> str:
    """Return a text with infotexts without what stands around them; any other text as it is."""
    if not _STEPS.search(text):
        return text
    text = _ENDS.sub("", _out_of_table(text).strip())
    text = _without_writers(_without_tags(_SAID_BEFORE.sub("", text)))
    text = _unbracketed(text)
    if "\n" not in text:
        return _broken_at_signs(text)
    return _without_introduction(text)


def _out_of_table(text: str) -> str:
    """Return the cells of a CSV table that are infotexts; a text without such cells as it is."""
    if not re.search(r'(?:^|[,;\t])"', text, re.MULTILINE):
        return text
    sign = next((each for each in ",;\t" if f'{each}"' in text or f'"{each}' in text), ",")
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=sign, strict=True))
    except csv.Error:
        return text
    cells = [cell for row in rows if len(row) > 1 for cell in row if cell == cell.strip()]
    found = [cell for cell in cells if _SETTINGS.search(cell[cell.rfind("\n") + 1 :])]
    return "\n\n".join(found) or text


def _without_tags(text: str) -> str:
    opened: set[str] = set()
    for closing, name in _TAG.findall(text):
        if closing and name.lower() in opened:
            return _TAG.sub(_label, text).strip()
        if not closing:
            opened.add(name.lower())
    return text


def _label(tag: re.Match[str]) -> str:
    closing, name = tag.groups()
    if closing:
        return "\n"
    if name.lower().startswith("neg"):
        return "\nNegative prompt: "
    return "\nPrompt: " if name.lower().startswith(("p", "inf")) else "\n"


def _without_writers(text: str) -> str:
    """Return a text without the time and name that a chat program has put before each of its lines."""
    lines = text.split("\n")
    is_log = len(lines) > 1 and all(_WRITER.match(line) for line in lines if line.strip())
    return _WRITER.sub("", text) if is_log else text


def _unbracketed(text: str) -> str:
    """Return a text without the pair of brackets around it; the last line has no beginning for the last sign."""
    end = _BRACKETS.get(text[:1])
    last = text[text.rfind("\n") + 1 :] if "\n" in text else text[1:]
    if end is None or not last.endswith(end) or last.count(end) <= last.count(text[0]):
        return text
    inner = text[1:-1].strip().rstrip(",")
    return inner if "\n" in inner else _COMMAS.sub("\n", inner)


def _broken_at_signs(text: str) -> str:
    """Return a text in one line with line breaks for the sign that stands between its parts and its settings."""
    sign = _IN_ONE_LINE.search(text)
    return text if sign is None else re.sub(rf" {re.escape(sign[1])} (?=Negative prompt:|Steps: *\d)", "\n", text)


def _without_introduction(text: str) -> str:
    """Return a text without a title, or a line that ends in a colon, before the prompt."""
    for pattern in (_TITLE, _INTRODUCTION):
        begins = pattern.match(text)
        rest = "" if begins is None else text[begins.end() :]
        if begins and not _LABEL.match(begins[0]) and not re.match(r"Steps:|Negative prompt:", rest):
            text = rest
    return text
