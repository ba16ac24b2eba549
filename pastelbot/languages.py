"""Other languages: texts are written in English, and translated where they leave the house.

A catalogue (`data/languages/<code>.toml`) holds a translation for each template: the English text as the code has it,
with `{}` for every part that is filled in. A finished text is matched against the templates, and what was filled in
takes its place in the translation:

    {0}     as it is: names, numbers, and whatever people have typed
    {0:t}   translated too, because it is a text of ours, or a list of such
    {0:c}   the name of a command or an option in that language; only such names are taken for one
    {0:o}   names with "or" between them
    {0:n}   a number, without the ending of "2nd"; only numbers are taken for one

So errors stay plain sentences where they are raised, and no layer below the edge knows of languages. What is quoted
(lines that begin with ">") or stands in a block of code is somebody's own words, and stays as it is.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from itertools import islice
from string import Formatter
from typing import NamedTuple

Say = Callable[[str], str]

_DEEPEST = 6  # how far parts may hold parts
_MOST_PARTS = 150  # of one line
_LONGEST_LIST = 30
_TRIES = 8  # how many ways to read a text by one template
_BEGINNING = 3  # letters by which templates are looked up
_NUMBER = re.compile(r"-?\d[\d.,+]*(?:st|nd|rd|th)?")
_LETTERS = "dhnrst"  # of those endings
_OR = " or "
_SEPARATORS = (" · ", " ← ", ", ")


class Catalogue:
    """One language: `phrases` are sentences by template, `words` single names such as those of commands."""

    def __init__(self, phrases: Mapping[str, str], words: Mapping[str, str] | None = None) -> None:
        self.phrases = phrases
        self.words = dict(words or {})
        self.plain = {key.format(): value.format() for key, value in phrases.items() if not holes(key)}
        self.patterns = _Index([_pattern(key, value) for key, value in phrases.items() if holes(key)])

    def word(self, text: str) -> str | None:
        """Return a name's translation, or None."""
        return self.words.get(text)

    def phrase(self, text: str) -> str | None:
        """Return the translation of a whole text that one template made, or None."""
        return _Reader(self).phrase(text)

    def translate(self, text: str) -> str:
        """Translate a text line by line, or as a whole, whatever is known of it; the rest stays as it is."""
        lines, in_code = text.split("\n"), False
        for number, line in enumerate(lines):
            if line.startswith("```"):
                in_code = not in_code
            elif not in_code and not line.startswith(">"):
                lines[number] = self.phrase(line) or line
        by_lines = "\n".join(lines)
        return by_lines if by_lines != text else self.phrase(text) or text


class _Reader:
    """Reads one line as what templates have made; how much it tries is bounded, whatever people have put into it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words, self._plain, self._patterns = catalogue.words, catalogue.plain, catalogue.patterns
        self._or = self._plain.get(_OR, _OR)
        self._left = _MOST_PARTS

    def phrase(self, text: str, depth: int = 0) -> str | None:
        """Return the translation of what one template made, as well as it is known; None where none did."""
        known = self._plain.get(text)
        self._left -= 1
        if known is not None or depth > _DEEPEST or self._left < 0:
            return known
        second_best = None
        for pattern in self._patterns.fitting(text):
            for parts in pattern.readings(text):
                found = self._parts(pattern, parts, depth + 1)
                if found is None:
                    continue
                filled = [_Part(part, found.get(number) or part) for number, part in enumerate(parts)]
                if None not in found.values():
                    return pattern.translation.format(*filled)
                second_best = second_best or pattern.translation.format(*filled)
        return second_best

    def _parts(self, pattern: "_Pattern", parts: list[str], depth: int) -> dict[int, str | None] | None:
        """Return the translations of the parts that have one, None for unknown ones; None where a name is none."""
        found = {number: self._name(parts[number]) for number in pattern.names}
        if None in found.values():
            return None
        found |= {number: parts[number].replace(_OR, self._or) for number in pattern.choices}
        return found | {number: self._part(parts[number], depth) for number in pattern.ours}

    def _name(self, text: str) -> str | None:
        """Return the name of a command, "admin words add" too, or of an option."""
        if text in self._words:
            return self._words[text]
        words = [self._words.get(word) for word in text.split(" ")]
        return None if None in words else " ".join(filter(None, words))

    def _part(self, text: str, depth: int) -> str | None:
        """Return the translation of a part that is a text or a list; None where nothing is known."""
        return self._plain.get(text) or self._list(text, depth) or self.phrase(text, depth) or (None if text else "")

    def _list(self, text: str, depth: int) -> str | None:
        """Return the translation of a list of which at least two parts are known."""
        for separator in _SEPARATORS:
            pieces = text.split(separator, _LONGEST_LIST)
            known = [self.phrase(piece, depth) for piece in pieces] if len(pieces) > 1 else []
            if len(list(filter(None, known))) > 1:
                between = self._plain.get(separator, separator)
                return between.join(found or piece for found, piece in zip(known, pieces, strict=True))
        return None


class Languages:
    """All catalogues; English needs none."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues

    @classmethod
    def shipped(cls) -> "Languages":
        """Read the catalogues that come with the program."""
        folder = files("pastelbot").joinpath("data", "languages")
        found = {file.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()}
        return cls({name.removesuffix(".toml"): Catalogue(**tables) for name, tables in found.items()})

    def catalogue(self, locale: str) -> Catalogue | None:
        """Return the catalogue for Discord's name of a language, such as "ja" or "en-GB"; None: English."""
        return self._catalogues.get(locale) or self._catalogues.get(locale.partition("-")[0])

    def translate(self, text: str, locale: str) -> str:
        """Return the text in that language, as far as it is known."""
        catalogue = self.catalogue(locale)
        return text if catalogue is None else catalogue.translate(text)

    def saying(self, locale: str) -> Say:
        """Return what puts texts into that language."""
        return functools.partial(self.translate, locale=locale)


def holes(template: str) -> int:
    """Count the places of a template that are filled in; raises ValueError where it is none."""
    return sum(field is not None for _, field, _, _ in Formatter().parse(template))


class _Part(NamedTuple):
    """What was filled in, and what it is in the other language."""

    text: str
    translated: str

    def __format__(self, how: str) -> str:
        match how:
            case "t" | "c" | "o":
                return self.translated
            case "n":
                return self.text.rstrip(_LETTERS)
        return self.text


class _Pattern(NamedTuple):
    """A template with what stands between its holes; the sets say which parts are what."""

    literals: list[str]
    translation: str
    ours: frozenset[int]
    names: frozenset[int]
    numbers: frozenset[int]
    choices: frozenset[int]

    def readings(self, text: str) -> Iterator[list[str]]:
        """Yield what may have been filled in to make the text, parts as short as can be first."""
        for parts in islice(_readings(self.literals, text), _TRIES):
            if all(_NUMBER.fullmatch(parts[number]) for number in self.numbers):
                yield parts


def _pattern(template: str, translation: str) -> _Pattern:
    return _Pattern(_literals(template), translation, *(_marked(translation, mark) for mark in "tcno"))


def _marked(translation: str, mark: str) -> frozenset[int]:
    """Return the holes with a mark."""
    return frozenset(int(field or 0) for _, field, how, _ in Formatter().parse(translation) if how == mark)


class _Index:
    """Patterns by how they begin, or else by how they end; those that begin with words and say most come first."""

    def __init__(self, patterns: list[_Pattern]) -> None:
        patterns = sorted(patterns, key=lambda each: (not each.literals[0], -sum(map(len, each.literals))))
        self._beginnings: dict[str, list[tuple[int, _Pattern]]] = {}
        self._ends: dict[str, list[tuple[int, _Pattern]]] = {}
        self._others: list[tuple[int, _Pattern]] = []
        for rank, pattern in enumerate(patterns):
            first, last = pattern.literals[0], pattern.literals[-1]
            if len(first) >= _BEGINNING:
                self._beginnings.setdefault(first[:_BEGINNING], []).append((rank, pattern))
            elif len(last) >= _BEGINNING:
                self._ends.setdefault(last[-_BEGINNING:], []).append((rank, pattern))
            else:
                self._others.append((rank, pattern))

    def fitting(self, text: str) -> list[_Pattern]:
        """Return the patterns that may have made the text."""
        found = [
            *self._beginnings.get(text[:_BEGINNING], ()),
            *self._ends.get(text[-_BEGINNING:], ()),
            *self._others,
        ]
        return [pattern for _rank, pattern in sorted(found, key=lambda ranked: ranked[0])]


def _literals(template: str) -> list[str]:
    """Return what stands before, between and after the holes."""
    found, text = [], ""
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field is not None:
            found.append(text)
            text = ""
    return [*found, text]


def _readings(literals: list[str], text: str) -> Iterator[list[str]]:
    """Yield all ways in which parts between the literals make the text, those with short first parts first.

    No way is begun that has no end: each literal has a latest place, that which leaves room for those behind it.
    """
    first, *middle, last = literals
    if len(text) < sum(map(len, literals)) or not (text.startswith(first) and text.endswith(last)):
        return
    end, latest = len(text) - len(last), []
    limit = end
    for literal in reversed(middle):
        limit = text.rfind(literal, len(first), limit)
        if limit < 0:
            return
        latest.append(limit)
    yield from _placed(middle, latest[::-1], text, len(first), end)


def _placed(middle: list[str], latest: list[int], text: str, start: int, end: int) -> Iterator[list[str]]:
    if not middle:
        yield [text[start:end]]
        return
    place = text.find(middle[0], start, end)
    while 0 <= place <= latest[0]:
        behind = place + len(middle[0])
        for rest in _placed(middle[1:], latest[1:], text, behind, end):
            yield [text[start:place], *rest]
        place = text.find(middle[0], place + 1, end)
