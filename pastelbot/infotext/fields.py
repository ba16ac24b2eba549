"""The form of an infotext: a prompt, a negative prompt behind its mark, and a last line of `Name: value` fields."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pastelbot.formats.texts.infotext_cap import capped

_NEGATIVE = "Negative prompt:"
_LEAST_FIELDS = 3  # a last line with fewer fields belongs to the prompt

_VALUE = re.compile(r'\s*+(?:("(?:\\.|[^\\"])++")(?=,|$)|([^,]*+))(?:,|$)')
_QUOTED = re.compile(r"[,\n:]")
_LOST_BREAK = re.compile(r"(?<!\s)\s++(?=Negative prompt:|Steps: *+\d++ *+,)")


@dataclass(frozen=True)
class Infotext:
    """What an infotext says, fields in their order and unquoted; nothing is interpreted, so nothing is lost."""

    prompt: str = ""
    negative_prompt: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    def format(self) -> str:
        """Return the text."""
        negative = f"\n{_NEGATIVE} {self.negative_prompt}" if self.negative_prompt else ""
        fields = ", ".join(f"{name}: {_written(value)}" for name, value in self.fields.items())
        return f"{self.prompt}{negative}\n{fields}".strip()


def _unquoted(text: str) -> str:
    """Return the value that was written; text in quotes that cannot be read stays as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _written(value: str) -> str:
    """Return a value as it must be written to read back unchanged.

    It is in quotes where it has a comma, a colon or a line break, and where it looks quoted already.
    """
    if _QUOTED.search(value) or _unquoted(value) != value:
        return json.dumps(value, ensure_ascii=False)
    return value


def read_fields(text: str) -> Infotext:
    """Take an infotext apart. Any text of at most 64 Ki characters is one: without fields it is all prompt.

    Raises LimitError for a longer one.
    """
    *lines, last = capped(text).strip().split("\n")
    pairs = list(_pairs(last))
    if len(pairs) < _LEAST_FIELDS:
        lines.append(last)
        pairs = []
    prompt: list[str] = []
    negative: list[str] = []
    for line in map(str.strip, lines):
        if line.startswith(_NEGATIVE):
            negative.append(line[len(_NEGATIVE) :].strip())
        else:
            (negative or prompt).append(line)
    fields = {name: _unquoted(value) for name, value in pairs if value}
    return Infotext(_joined(prompt), _joined(negative), fields)


def with_line_breaks(text: str) -> str:
    r"""Restore the line breaks of an infotext that a single-line field has turned into spaces; raises LimitError.

    >>> with_line_breaks("1girl Negative prompt: hat Steps: 20, Seed: 5, Size: 64x64")
    '1girl\nNegative prompt: hat\nSteps: 20, Seed: 5, Size: 64x64'
    """
    return text if "\n" in capped(text).strip() else _LOST_BREAK.sub("\n", text)


def _joined(lines: list[str]) -> str:
    """Join lines with breaks, leaving out empty lines at the start."""
    return "\n".join(lines).lstrip("\n")


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """Yield names and values as they are written. A name has at least two letters and no signs but `_`, `-` and `/`."""
    position = 0
    while (colon := line.find(":", position)) >= 0:
        name = _name_before(line, position, colon)
        if len(name) < 2:
            position = colon + 1
            continue
        value = _VALUE.match(line, colon + 1)
        if value is None:  # a value matches whatever follows; this is for the type checker
            return
        yield name, value[1] or value[2] or ""
        position = value.end()


def _name_before(line: str, start: int, colon: int) -> str:
    first = colon
    while first > start and (line[first - 1].isalnum() or line[first - 1] in "_ -/"):
        first -= 1
    return line[first:colon].lstrip(" -/")
