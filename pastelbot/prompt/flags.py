r"""Flags: settings typed inside a prompt, as in `1girl --seed 5 --no bad hands --ar 3:2`. Pure text.

A flag begins at the start of the text or after a blank or a comma, with two hyphens or with a long dash, which phones
make of them. Inside `<...>`, `(...)`, `[...]` and `{...}` nothing is a flag, nor where the next character is not a
letter; `\--` is two literal hyphens. The kind of value decides how far a flag reaches:

    WORD     one word, and the prompt continues after it
    NAME     up to a comma, the end of the line or the next flag: names have blanks
    TEXT     up to the next flag or the end: lists of tags have commas
    NOTHING  none
    MAYBE    one word if it looks like a value of that flag, else none

`"..."` holds a value together that would end otherwise.
"""

import enum
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pastelbot.choices import nearest_names
from pastelbot.errors import PromptError
from pastelbot.prompt.extra_networks import TagPattern


class Takes(enum.Enum):
    """How far a flag's value reaches."""

    WORD = enum.auto()
    NAME = enum.auto()
    TEXT = enum.auto()
    NOTHING = enum.auto()
    MAYBE = enum.auto()


@dataclass(frozen=True, kw_only=True)
class FlagSyntax:
    """How a flag is written: its name, how far its value reaches, a value for error sentences, and other names."""

    name: str
    takes: Takes
    example: str = ""
    others: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """Return an example of the whole flag."""
        return f"--{self.name} {self.example}".rstrip()


class Flag(NamedTuple):
    """One flag by its full name, with its value and the 0-based positions where the two begin in the text."""

    name: str
    value: str
    position: int
    value_position: int


class Read(NamedTuple):
    """A prompt without its flags, and the flags in their order."""

    prompt: str
    flags: tuple[Flag, ...]


_DASH = r"(?:[-\u2010\u2011\u2212]{2,3}|[\u2012\u2013\u2014\u2015])"
_FLAG = re.compile(rf"(?:(?<=[\s,])|^){_DASH}([A-Za-z][A-Za-z0-9_-]*)[=:]?")
_HELD = TagPattern(r"<\w+:[^>]*>", r"\\.")
_ESCAPED = re.compile(rf"(\\\\)|\\(?={_DASH})")
_WORD = re.compile(r"[^\s,]+")
_HIRES_VALUE = re.compile(r"(?:on|off|\d+(?:\.\d*)?x?)(?=[\s,]|$)", re.IGNORECASE)
_QUOTES = {'"': '"', "\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb"}
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_BLANKS = " \t\n\r,"


def read_flags(text: str, known: Iterable[FlagSyntax]) -> Read:
    """Take the known flags out of a prompt; raises PromptError, with its position, for an unknown one."""
    starts = _starts(text)
    if not starts:
        return Read(_ESCAPED.sub(r"\1", text), ())
    by_name = {name: syntax for syntax in known for name in (syntax.name, *syntax.others)}
    kept, flags, done = [], [], 0
    for match, end in zip(starts, [*(match.start() for match in starts[1:]), len(text)], strict=True):
        if match.start() < done:  # inside a quoted value
            continue
        flag, after = _read_flag(text, match, end, _syntax(match, by_name))
        kept.append(text[done : match.start()])
        flags.append(flag)
        done = after
    kept.append(text[done:])
    return Read(_ESCAPED.sub(r"\1", _joined(kept)), tuple(flags))


def escape_flags(prompt: str) -> str:
    """Escape a prompt so that `read_flags` leaves it unchanged."""
    places = [0, *(match.start() for match in _starts(prompt)), len(prompt)]
    return "\\".join(prompt[start:end] for start, end in itertools.pairwise(places))


def _starts(text: str) -> list[re.Match[str]]:
    """Return where flags begin, outside the spans in which nothing is a flag."""
    held, found = iter([*_held_spans(text), (len(text), len(text))]), []
    start, end = next(held)
    for match in _FLAG.finditer(text):
        while end <= match.start():
            start, end = next(held)
        if match.start() < start:
            found.append(match)
    return found


def _held_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans in which nothing is a flag: inside closed brackets, and after a backslash."""
    spans = [match.span() for match in _HELD.find(text)]
    skipped = {place for start, end in spans for place in range(start, end)}
    still_open: list[tuple[str, int]] = []
    counts: Counter[str] = Counter()
    for place, sign in enumerate(text):
        if place in skipped:
            continue
        if sign in _CLOSERS.values():
            still_open.append((sign, place))
            counts[sign] += 1
        elif sign in _CLOSERS and counts[_CLOSERS[sign]]:
            opener = ""
            while opener != _CLOSERS[sign]:
                opener, start = still_open.pop()
                counts[opener] -= 1
            spans.append((start, place))
    return _outermost(spans)


def _outermost(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _read_flag(text: str, match: re.Match[str], end: int, syntax: FlagSyntax) -> tuple[Flag, int]:
    """Return the flag, and where the prompt continues."""
    name, takes = syntax.name, syntax.takes
    if takes is Takes.NOTHING:
        return Flag(name, "", match.start(), match.end()), match.end()
    start = match.end() + len(text[match.end() : end]) - len(text[match.end() : end].lstrip())
    value, after = _read_value(text, start, end, takes)
    if takes is Takes.MAYBE and not value:
        return Flag(name, "", match.start(), match.end()), match.end()
    if not value:
        raise PromptError(
            f"The flag --{name} at character {match.start() + 1} has no value: write it behind the flag, "
            f"for example {syntax.written}.",
            position=match.start(),
        )
    return Flag(name, value, match.start(), start), after


def _syntax(match: re.Match[str], by_name: Mapping[str, FlagSyntax]) -> FlagSyntax:
    syntax = by_name.get(match[1].lower().replace("_", "-").rstrip("-"))
    if syntax is None:
        names = dict.fromkeys(f"--{known.name}" for known in by_name.values())
        near = nearest_names(f"--{match[1][:40]}", list(names))
        raise PromptError(
            f"There is no flag --{match[1][:40]} (at character {match.start() + 1}). {near} "
            "Two hyphens as such are written with a backslash in front of them.",
            position=match.start(),
        )
    return syntax


def _read_value(text: str, start: int, end: int, takes: Takes) -> tuple[str, int]:
    """Return the value that begins at `start`, and where the text continues."""
    if start < len(text) and text[start] in _QUOTES:
        close = text.find(_QUOTES[text[start]], start + 1)
        if close > 0:
            return text[start + 1 : close].strip(), close + 1
    segment = text[start:end]
    if takes in (Takes.WORD, Takes.MAYBE):
        found = (_WORD if takes is Takes.WORD else _HIRES_VALUE).match(segment)
        return (found[0], start + found.end()) if found else ("", start)
    if takes is Takes.NAME:
        segment = re.split(r"[,\n]", segment, maxsplit=1)[0]
    return segment.strip(_BLANKS), start + len(segment)


def _joined(parts: list[str]) -> str:
    """Join the pieces around the flags, with one comma and blank where anything separated them."""
    joined = [parts[0]]
    for part in parts[1:]:
        comma = joined[-1].rstrip()[-1:] == "," or part.lstrip()[:1] == ","
        joined[-1] = joined[-1].rstrip(_BLANKS)
        if right := part.lstrip(_BLANKS):
            joined += [", " if comma else " ", right] if joined[-1] else [right]
    return "".join(joined).strip()
