r"""Tags as users write them in a prompt: their spans, comparison keys and spellings.

`words` finds the plain text between commas, brackets, weights, `<lora:..>`, `[from:to:when]`, `AND` and `BREAK`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(r"\\.|<\w+:[^>]*>?|\b(?:AND|BREAK)\b|[()\[\]{},\n|:]", re.DOTALL)
_WEIGHT = re.compile(r"(?<=\S):\s*+[+-]?[\d.]*+\s*+$")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_ACCENTS = re.compile("[\u0300-\u036f]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_ROUND_THE_WORD = "()[]{}\"'!?.,:;@"
_TWO_LETTERS = re.compile(r"[^\W_]{2}")
_BRACKET = re.compile(r"[()\[\]{}]")


class Span(NamedTuple):
    """Where a tag stands in a prompt, without its decoration."""

    start: int
    end: int


@dataclass
class _Reading:
    """Parser state: the spans read so far, the brackets open around the current one and those opened inside it.

    `counts` says how many brackets of each kind are among `around`, and `in_word` whether a word has begun since
    `start`: looking for either anew at each bracket would take time that grows with the square of the text.
    """

    text: str
    spans: list[Span] = field(default_factory=list)
    start: int = 0
    around: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    in_word: bool = False

    def cut(self, end: int, start: int) -> None:
        """End the current span, and begin the next one after the separator."""
        self.spans.append(self._trimmed(end))
        self.around += self.inside
        self.counts.update(self.inside)
        self.inside = []
        self.start = start
        self.in_word = False

    def _trimmed(self, end: int) -> Span:
        text = self.text[self.start : end]
        if self.counts["("]:
            text = _WEIGHT.sub("", text)
        start = self.start + len(text) - len(text.lstrip())
        return Span(start, max(start, self.start + len(text.rstrip())))

    def read(self, token: re.Match[str]) -> None:
        whole, start, end = token[0], token.start(), token.end()
        innermost = self.around[-1] if self.around else ""
        if whole in "([{":
            self._open(whole, start, end)
        elif whole in _CLOSES:
            self._close(whole, start, end)
        elif whole == "|" or (whole == ":" and innermost != "["):
            if whole == "|" and innermost in {"[", "{"}:
                self.cut(start, end)
        elif not whole.startswith("\\"):
            self.cut(start, end)

    def _open(self, whole: str, start: int, end: int) -> None:
        """Treat a bracket before a word as decoration; one inside it, as in `saber (fate`, belongs to the tag."""
        self.in_word = self.in_word or bool(self.text[self.start : start].strip())
        if self.in_word:
            self.inside.append(whole)
        else:
            self.cut(start, end)
            self.around.append(whole)
            self.counts[whole] += 1

    def _close(self, whole: str, start: int, end: int) -> None:
        if self.inside:
            self.inside.pop()
        elif self.counts[_CLOSES[whole]]:
            self.cut(start, end)
            opener = ""
            while opener != _CLOSES[whole]:
                opener = self.around.pop()
                self.counts[opener] -= 1


def words(text: str) -> list[Span]:
    """Return the spans of a prompt's tags, empty ones too; the last one is being typed."""
    reading = _Reading(text)
    for token in _TOKEN.finditer(text):
        reading.read(token)
    reading.cut(len(text), len(text))
    return reading.spans


def tags_in(prompt: str) -> list[str]:
    """Return a prompt's tags as typed, each once, in order."""
    found: dict[str, str] = {}
    for start, end in words(prompt):
        key = tag_key(prompt[start:end])
        if key:
            found.setdefault(key, prompt[start:end])
    return list(found.values())


def replace_tags(prompt: str, meant: Mapping[str, str]) -> str:
    """Return a prompt with other tags in the place of some, which are named by their keys; all else stays as typed."""
    parts: list[str] = []
    done = 0
    for start, end in words(prompt):
        other = meant.get(tag_key(prompt[start:end]))
        if other is not None:
            parts += [prompt[done:start], re.sub(r"[()\[\]]", r"\\\g<0>", other)]
            done = end
    return "".join([*parts, prompt[done:]])


def whole_tags_in(prompt: str) -> list[str]:
    """Return a prompt's tags as `tags_in`, without pieces of tags beside a choice or an edit: `[red:blue:0.5] hair`."""
    found: dict[str, str] = {}
    for start, end in words(prompt):
        key = tag_key(prompt[start:end])
        if key and _beside(prompt, start - 1, -1) not in "]}" and _beside(prompt, end, 1) not in "[{":
            found.setdefault(key, prompt[start:end])
    return list(found.values())


def _beside(text: str, place: int, step: int) -> str:
    """Return the first sign from a place on that is no blank, or a blank where there is none."""
    while 0 <= place < len(text) and text[place] == " ":
        place += step
    return text[place] if 0 <= place < len(text) else " "


def tag_key(text: str) -> str:
    r"""Return a tag's comparison key: no case, accents, escapes or brackets, and spaces for underscores.

    >>> tag_key(r"Saber_\\(Fate\\)")
    'saber fate'
    >>> tag_key(":D")
    ':d'
    """
    plain = text.replace("\\", "").replace("_", " ").lower()
    if not plain.isascii():
        folded = unicodedata.normalize("NFKD", plain.casefold())
        plain = unicodedata.normalize("NFC", _ACCENTS.sub("", folded))
    return " ".join(map(_bare, _CONTROL.sub(" ", plain).split()))


def _bare(word: str) -> str:
    bare = word.strip(_ROUND_THE_WORD)
    return bare if len(bare) > 1 else word


def spoken(name: str) -> str:
    """Return a tag's name as users write it: `long hair` for long_hair, but `^_^` unchanged."""
    return name.replace("_", " ") if _TWO_LETTERS.search(name) else name


def written(name: str) -> str:
    r"""Return a tag's name as a prompt needs it, with literal brackets escaped: `saber \(fate\)`."""
    return _BRACKET.sub(r"\\\g<0>", spoken(name))
