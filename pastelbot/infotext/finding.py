"""Infotexts in what people paste: inside code blocks, quotes and bold text, with words around them, several at once."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pastelbot.errors import PromptError
from pastelbot.formats.texts.infotext_cap import MAX_INFOTEXT, capped
from pastelbot.infotext.fields import read_fields, with_line_breaks
from pastelbot.infotext.labels import joined_wraps, labelled, without_header, without_label
from pastelbot.infotext.markup import without_markup
from pastelbot.infotext.surroundings import without_surroundings

_STEPS = re.compile(r"\bSteps[*_`]{0,4}[:：][*_` \xa0]{0,4}\d", re.IGNORECASE)
_PASTED = re.compile(r"(?:^|(?<=[\s*`>]))(?:(negative prompt:)|steps: *\d+ *,)", re.IGNORECASE)
_LANGUAGE = re.compile(
    r"\A[\w+-]*(?: \w+=[^\n]*)?\n|\A(?:yaml|yml|text|txt|ini|md|prompt|css|diff|fix|json) ", re.IGNORECASE
)
_QUOTE_BREAK = re.compile(r" (?:> ?){1,8}+(?=(?:Negative prompt:|Steps:))")
_NEXT_STEPS = re.compile(r"(?=\bSteps: *\d+ *,)")
_FENCE = re.compile(r"\n?```\n?")
_LAST = re.compile(r"[*_> ]*+(?:(?:Negative )?Template:|.*\bSteps[*_`]*+:)|.*, \w[\w ]+: ", re.IGNORECASE)
_TEMPLATE = re.compile(r"^(?:Negative )?Template:")
_FIELD = re.compile(
    r"^[*_ ]*+(?:Steps|Sampler|Schedule type|CFG scale|Seed|Size|Width|Height|Model|Model hash|VAE|VAE hash|Clip skip"
    r"|ENSD|RNG|Eta|Denoising strength|Face restoration|Variation seed|Variation seed strength|Version|Hires \w[\w -]*"
    r"|Lora hashes|TI hashes|Emphasis|Hashes|Civitai resources)[*_]*+:",
    re.IGNORECASE,
)
_BOLD_FIELD = re.compile(r"\*\*(\w[\w -]{1,40})(?::\*\*|\*\*:)")
_WRAPPERS = ('"""', "'''", "**", "||", "~~", "__", "*", "_", "`", '"', "'", "“”", "„“", "«»", "「」", "『』")
_LIST_MARKS = ("- ", "* ", "• ", "-# ", "◦ ", "‣ ", "▪ ", "– ", "+ ")
_NUMBER = re.compile(r"\d{1,2}[.)] ")
_UNSEEN = "\ufeff\u200b\u200e\u200f\u2060 \t\n"


def find_infotexts(text: str) -> Sequence[str]:
    """Return the infotexts in a text, bare and with their line breaks; the text itself where none is found in it.

    Raises LimitError for more than 64 Ki characters.
    """
    text = without_header(without_surroundings(without_markup(capped(text).strip(_UNSEEN))))
    if not _STEPS.search(text):
        return (text,)
    found = [infotext for part in _blocks(text) for infotext in _split(_bare(part))]
    return tuple(found) or (text,)


def refuse_infotext(prompt: str, *, negative: bool = False) -> None:
    """Raise PromptError, with the position, where what should be a prompt is an infotext, or has a negative prompt.

    What should be a `negative` prompt may say that it is one.
    """
    mark = _PASTED.search(prompt)
    if mark is None:
        return
    position, where = mark.start(), f"`{mark[0].strip()}` at character {mark.start() + 1}"
    if _STEPS.search(prompt) and len(prompt) <= MAX_INFOTEXT and _has_settings(prompt):
        raise PromptError(
            f"This is an infotext, not a prompt ({where}): give it to /recreate, or on the command line to "
            "--from-infotext.",
            position=position,
        )
    if mark[1] and not negative:
        raise PromptError(
            f"The prompt contains a negative prompt ({where}): put that part into the option `negative`.",
            position=position,
        )


def _has_settings(text: str) -> bool:
    names = {name for infotext in find_infotexts(text) for name in read_fields(infotext).fields}
    return bool(names & {"Sampler", "CFG scale", "Seed", "Size"})


def _blocks(text: str) -> Sequence[str]:
    """Return the code blocks that have settings, else the whole text."""
    fenced = _inside(text, "```")
    complete = _complete(fenced)
    if complete:
        return complete
    if len(fenced) == 1 and not any(map(_STEPS.search, text.split(fenced[0], 1))):
        return (_FENCE.sub("\n", text),)  # the settings alone are in a block, and the prompts outside of it
    hidden = _inside(text, "||")
    in_code = (part for mark in ("``", "`") for part in _inside(text, mark) if "\n" not in part)
    return _complete([*hidden, *in_code]) or (text,)


def _complete(blocks: Iterable[str]) -> Sequence[str]:
    """Return the blocks that have a prompt before the settings, and end with these."""
    stripped = [block.strip() for block in blocks]
    return [block for block in stripped if not _FIELD.match(block) and _LAST.match(block[block.rfind("\n") + 1 :])]


def _inside(text: str, mark: str) -> Sequence[str]:
    """Return what stands between two marks and has settings; a block that begins the text need not be closed."""
    parts = text.split(mark)
    closed = parts[1::2] if len(parts) % 2 else parts[1:-1:2]
    is_begun = len(parts) == 2 and mark == "```" and parts[1].startswith("\n")
    if is_begun and (not parts[0] or parts[0].endswith(":\n")):
        closed = parts[1:]
    return [part for part in (_LANGUAGE.sub("", part, count=1) for part in closed) if _STEPS.search(part)]


def _bare(text: str) -> str:
    """Take quotation marks, the signs of quotes, and the marks of bold and hidden text away from around an infotext."""
    text = text.strip(_UNSEEN)
    while (inner := without_surroundings(_unwrapped(text))) != text:
        text = inner.strip(_UNSEEN)
    if text.startswith("> ") and "\n" not in text:  # a field has joined the lines of a quote
        found = _QUOTE_BREAK.search(text)
        text = _quote_marks("> " if found is None else found[0]).sub("", _QUOTE_BREAK.sub("\n", text), count=1)
    lines = _unquoted(_broken(text).split("\n"))
    for mark in _LIST_MARKS:
        if any(line.startswith(mark) and _STEPS.search(line) for line in lines):
            lines = [line.removeprefix(mark) for line in lines]
    if any(_NUMBER.match(line) and _STEPS.search(line) for line in lines):
        lines = [_NUMBER.sub("", line, count=1) for line in lines]
    marks = {mark for line in lines if _STEPS.search(line) for mark in _WRAPPERS if _unwrapped(line, (mark,)) != line}
    lines = [_unwrapped(line.strip(), tuple(marks)) for line in lines]
    lines = [_BOLD_FIELD.sub(r"\1:", line) if _FIELD.match(line) else line for line in lines]
    return "\n".join(labelled(joined_wraps(lines)))


def _broken(text: str) -> str:
    """Restore the line breaks of one infotext or several that a single-line field has turned into spaces."""
    if "\n" in text:
        return text
    first, *others = _NEXT_STEPS.split(text)
    joined = "".join([first, *(part.replace("  ", "\n\n", 1) for part in others)])
    return "\n\n".join(with_line_breaks(part) for part in joined.split("\n\n"))


def _unwrapped(text: str, marks: Sequence[str] = _WRAPPERS) -> str:
    """Return a text without the first of these marks that is at both its ends, twice at most, and only there."""
    for mark in marks:
        left, right = (mark[0], mark[1]) if mark[0] != mark[-1] else (mark, mark)
        inner = _between(text, left, right)
        core = _between(inner, left, right) or inner
        if core and left not in core and right not in core:
            return core
    return text


def _between(text: str, left: str, right: str) -> str:
    """Return what stands between two marks that begin and end a text, "" where they do not."""
    return text[len(left) : -len(right)] if text.startswith(left) and text.endswith(right) else ""


def _unquoted(lines: Sequence[str]) -> Sequence[str]:
    """Return what is quoted where the settings are: lines after `>`, or all behind `>>>`."""
    settings = next((number for number, line in enumerate(lines) if _STEPS.search(line)), 0)
    start = next((number for number, line in enumerate(lines[: settings + 1]) if line.startswith(">>> ")), None)
    if start is not None:
        return [lines[start][4:], *lines[start + 1 :]]
    if not lines[settings].startswith(">"):
        return lines
    first = settings
    while first and (lines[first - 1].startswith(">") or _is_gap(lines[: first + 1])):
        first -= 1
    marks = _quote_marks(lines[settings])
    while first < settings and _depth(lines[first]) < _depth(lines[settings]):  # what was written about a quote
        first += 1
    return [marks.sub("", line, count=1) for line in lines[first:] if line.startswith(">")]


def _is_gap(lines: Sequence[str]) -> bool:
    """Return whether the last line but one is empty between two of a quote."""
    return len(lines) > 2 and not lines[-2].strip() and lines[-3].startswith(">") and lines[-1].startswith(">")


def _quote_marks(line: str) -> re.Pattern[str]:
    """Return the marks of quotes inside quotes, as many as begin a line: a prompt itself may begin with `>`."""
    return re.compile(rf"\A(?:> ?){{1,{max(1, _depth(line))}}}")


def _depth(line: str) -> int:
    """Return in how many quotes a line is."""
    return re.match(r"(?: ?>)*", line)[0].count(">")  # type: ignore[index]  # it always matches


def _split(text: str) -> Iterator[str]:
    """Yield each infotext up to its settings; what follows the last settings is left out."""
    before: list[str] = []
    in_template = False
    for line in _joined_fields(text.split("\n")):
        if _is_settings(line):
            yield "\n".join(_closed_up([*without_label(before), line.strip()])).strip()
            before, in_template = [], True  # what comes directly behind them is no prompt where it is a template
        elif not in_template:
            before.append(line)
        elif not line.strip():
            in_template = False
        elif not _TEMPLATE.match(line):
            before.append(line)
            in_template = False


def _closed_up(lines: Sequence[str]) -> list[str]:
    """Return lines without the empty ones before the negative prompt and before the settings."""
    kept: list[str] = []
    for line in lines:
        while kept and not kept[-1].strip() and line.startswith(("Negative prompt:", "Steps:")):
            kept.pop()
        kept.append(line)
    return kept


def _joined_fields(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines; those that begin with a field's name and follow each other, or the settings, are one."""
    fields: list[str] = []
    for line in lines:
        is_field = bool(_FIELD.match(line))
        if fields and (not is_field or _is_settings(line)):
            yield ", ".join(fields) if _is_settings(", ".join(fields)) else "\n".join(fields)
            fields = []
        if is_field:
            fields.append(line.strip().rstrip(","))
        else:
            yield line
    if fields:
        yield ", ".join(fields)


def _is_settings(line: str) -> bool:
    return bool(_STEPS.search(line)) and "Steps" in {name.capitalize() for name in read_fields(line).fields}
