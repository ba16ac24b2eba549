"""Message catalogues: finished English texts are translated at the edge, where the bot sends them.

A catalogue (`data/languages/<code>.toml`) holds a translation for each template: the English text as the code has it,
with `{}` for every placeholder. A finished text is matched against the templates, and the values of its placeholders
are put into the translation:

    {0}     unchanged: names, numbers, and users' input
    {0:t}   translated too, because it is one of the bot's texts
    {0:l}   a list of such texts
    {0:c}   the name of a command or an option in that language; only such names are taken for one
    {0:o}   names with "or" between them
    {0:n}   a number, without the ending of "2nd"; only numbers are taken for one

So errors stay plain sentences where they are raised, and no layer below the edge knows of languages. Quotes (lines that
begin with ">") and blocks of code are users' words, and stay unchanged.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from itertools import islice
from string import Formatter
from typing import NamedTuple

Translate = Callable[[str], str]

_DEEPEST = 6  # nesting of parts
_MOST_PARTS = 150  # of one line
_LONGEST_LIST = 30
_TRIES = 8  # readings of a text that are tried by one template
_BEGINNING = 3  # letters of the index of templates
_MARK = re.compile(r"\{(\d+):[a-z]\}")
_NUMBER = re.compile(r"-?\d[\d.,+]*(?:st|nd|rd|th)?(?:, -?\d+)*")
_LETTERS = "dhnrst"  # of those endings
_OR = " or "
_SEPARATORS = (" · ", " ← ", ", ")


class Catalogue:
    """One language: `phrases` are sentences by template, `words` single names such as those of commands."""

    def __init__(self, phrases: Mapping[str, str], words: Mapping[str, str] | None = None) -> None:
        self.phrases = phrases
        self.words = dict(words or {})
        self.plain = {key.format(): value.format() for key, value in phrases.items() if not _holes(key)}
        self.patterns = _Index([_pattern(key, value) for key, value in phrases.items() if _holes(key)])

    def word(self, text: str) -> str | None:
        """Return a name's translation, or None."""
        return self.words.get(text)

    def phrase(self, text: str) -> str | None:
        """Return the translation of a whole text that one template made, or None."""
        found = _Reader(self).phrase(text)
        return None if found is None else found.text

    def translate(self, text: str) -> str:
        """Translate the known lines of a text, or the text as a whole; the rest stays English."""
        lines, in_code = text.split("\n"), False
        for number, line in enumerate(lines):
            if line.startswith("```"):
                in_code = not in_code
            elif not in_code and not line.startswith(">"):
                lines[number] = self.phrase(line) or line
        by_lines = "\n".join(lines)
        return by_lines if by_lines != text else self.phrase(text) or text


class _Found(NamedTuple):
    """A translation; where it is not `complete`, one of the bot's texts in it is unknown and stays English."""

    text: str
    complete: bool


class _Reader:
    """Matches one line against the templates, with a bounded number of attempts for any input."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words, self._plain, self._patterns = catalogue.words, catalogue.plain, catalogue.patterns
        self._left = _MOST_PARTS

    def phrase(self, text: str, depth: int = 0) -> _Found | None:
        """Return the most complete translation of a text by one template; None where no template matches."""
        self._left -= 1
        if text in self._plain:
            return _Found(self._plain[text], complete=True)
        if depth > _DEEPEST or self._left < 0:
            return None
        second_best = None
        for pattern in self._patterns.fitting(text):
            for parts in pattern.readings(text):
                found = self._filled(pattern, parts, depth + 1)
                if found is not None and found.complete:
                    return found
                second_best = second_best or found
        return second_best

    def _filled(self, pattern: "_Pattern", parts: list[str], depth: int) -> _Found | None:
        """Return the pattern's translation with these parts; None where a part that must be a name is not one."""
        filled, complete = [], True
        for number, part in enumerate(parts):
            found = self._part(part, pattern.marks.get(number, ""), depth)
            if found is None and pattern.marks[number] == "c":
                return None
            complete = complete and found is not None and found.complete
            filled.append(part if found is None else found.text)
        return _Found(pattern.translation.format(*filled), complete)

    def _part(self, text: str, mark: str, depth: int) -> _Found | None:
        """Return a part's translation; None where it should be one of the bot's texts or names, and is not."""
        match mark:
            case "t":
                return self.phrase(text, depth) if text else _Found("", complete=True)
            case "l":
                return _Found(self._list(text, depth), complete=True)
            case "c":
                name = self._name(text)
                return None if name is None else _Found(name, complete=True)
            case "o":
                return _Found(text.replace(_OR, self._plain.get(_OR, _OR)), complete=True)
            case "n":
                return _Found(text.rstrip(_LETTERS), complete=True)
        return _Found(text, complete=True)

    def _name(self, text: str) -> str | None:
        """Return the name of a command, "admin words add" too, or of an option."""
        if text in self._words:
            return self._words[text]
        words = [self._words.get(word) for word in text.split(" ")]
        return None if None in words else " ".join(filter(None, words))

    def _list(self, text: str, depth: int) -> str:
        """Translate the known items of a list."""
        separator = next((each for each in _SEPARATORS if each in text), "")
        pieces = text.split(separator, _LONGEST_LIST) if separator else [text]
        known = [self.phrase(piece, depth) for piece in pieces]
        between = self._plain.get(separator, separator)
        return between.join(piece if found is None else found.text for piece, found in zip(pieces, known, strict=True))


class Languages:
    """All catalogues; English needs none."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues

    @classmethod
    def shipped(cls) -> "Languages":
        """Read the catalogues that come with the program."""
        folder = files("pastelbot").joinpath("data", "languages")
        found = [file for file in folder.iterdir() if file.name.endswith(".toml")]
        tables = {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in found}
        return cls({code: Catalogue(**each) for code, each in tables.items()})

    def catalogue(self, locale: str) -> Catalogue | None:
        """Return the catalogue for Discord's name of a language, such as "ja" or "en-GB"; None: English."""
        return self._catalogues.get(locale) or self._catalogues.get(locale.partition("-")[0])

    def translate(self, text: str, locale: str) -> str:
        """Return the text in that language, as far as the catalogue knows it."""
        catalogue = self.catalogue(locale)
        return text if catalogue is None else catalogue.translate(text)

    def translator(self, locale: str) -> Translate:
        """Return a function that translates texts into that language."""
        return functools.partial(self.translate, locale=locale)


def _holes(template: str) -> int:
    """Count a template's placeholders; raises ValueError where it is not a template."""
    return sum(field is not None for _, field, _, _ in Formatter().parse(template))


class _Pattern(NamedTuple):
    """A template: the literals between its placeholders, and the kinds of these where given."""

    literals: list[str]
    translation: str
    marks: Mapping[int, str]

    def readings(self, text: str) -> Iterator[list[str]]:
        """Yield the values of the placeholders that give the text, the shortest first parts first."""
        for parts in islice(_readings(self.literals, text), _TRIES):
            if all(mark != "n" or _NUMBER.fullmatch(parts[number]) for number, mark in self.marks.items()):
                yield parts


def _pattern(template: str, translation: str) -> _Pattern:
    marks = {int(field): mark for _, field, mark, _ in Formatter().parse(translation) if field is not None and mark}
    return _Pattern(_literals(template), _MARK.sub(r"{\1}", translation), marks)


class _Index:
    """Index of patterns by their first or else last letters; those that begin with words and are longest come first."""

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
        """Return the patterns that may match the text."""
        found = [
            *self._beginnings.get(text[:_BEGINNING], ()),
            *self._ends.get(text[-_BEGINNING:], ()),
            *self._others,
        ]
        return [pattern for _rank, pattern in sorted(found, key=lambda ranked: ranked[0])]


def _literals(template: str) -> list[str]:
    """Return the literals before, between and after the placeholders."""
    found, text = [], ""
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field is not None:
            found.append(text)
            text = ""
    return [*found, text]


def _readings(literals: list[str], text: str) -> Iterator[list[str]]:
    """Yield all splits of the text by the literals, those with short first parts first.

    No dead end is entered: each literal has a latest position, which leaves room for those after it.
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
