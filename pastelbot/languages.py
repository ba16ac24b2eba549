"""Other languages: texts are written in English, and translated where they leave the house.

A catalogue (`data/languages/<code>.toml`) holds a translation for each template: the English text as the code has it,
with `{}` for every part that is filled in. A finished text is matched against the templates, and what was filled in
takes its place in the translation as `{0}`, `{1}`, ...; such a part may be a text with a translation of its own. So
errors stay plain sentences where they are raised, and no layer below the edge knows of languages.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from string import Formatter

_DEEPEST = 4  # how far parts may hold parts


class Catalogue:
    """One language: `phrases` are sentences by template, `words` single names such as those of commands."""

    def __init__(self, phrases: Mapping[str, str], words: Mapping[str, str] | None = None) -> None:
        self.phrases = phrases
        self._plain = {key.format(): value.format() for key, value in phrases.items() if not holes(key)}
        patterned = [key for key in phrases if holes(key)]
        patterned.sort(key=lambda key: -len(key))  # the template that says most is the one that was meant
        self._patterns = [(_literals(key), phrases[key]) for key in patterned]
        self._words = dict(words or {})

    def word(self, text: str) -> str | None:
        """Return a name's translation, or None."""
        return self._words.get(text)

    def phrase(self, text: str) -> str | None:
        """Return the translation of a whole text that one template made, or None."""
        return self._phrase(text, 0)

    def translate(self, text: str) -> str:
        """Translate a text, or else line by line whatever is known of it; the rest stays as it is."""
        whole = self.phrase(text)
        if whole is not None:
            return whole
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        return self._phrase(line, 0) or line

    def _phrase(self, text: str, depth: int) -> str | None:
        if text in self._plain:
            return self._plain[text]
        for literals, translation in self._patterns:
            parts = _filled_in(literals, text)
            if parts is not None:
                return translation.format(*(self._part(part, depth + 1) for part in parts))
        return None

    def _part(self, text: str, depth: int) -> str:
        known = self._phrase(text, depth) if depth < _DEEPEST and " " in text else self._plain.get(text)
        return text if known is None else known


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


def holes(template: str) -> int:
    """Count the places of a template that are filled in; raises ValueError where it is none."""
    return sum(field is not None for _, field, _, _ in Formatter().parse(template))


def _literals(template: str) -> list[str]:
    """Return what stands before, between and after the holes."""
    found, text = [], ""
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field is not None:
            found.append(text)
            text = ""
    return [*found, text]


def _filled_in(literals: list[str], text: str) -> list[str] | None:
    """Return what was put between the literals to make the text, each part as short as can be; None: not made so.

    In linear time, whatever a person has written into the parts.
    """
    first, *middle, last = literals
    if len(text) < sum(map(len, literals)) or not (text.startswith(first) and text.endswith(last)):
        return None
    place, end, parts = len(first), len(text) - len(last), []
    for literal in middle:
        found = text.find(literal, place, end)
        if found < 0:
            return None
        parts.append(text[place:found])
        place = found + len(literal)
    return [*parts, text[place:end]] if place <= end else None
