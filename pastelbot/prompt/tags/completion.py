"""Completion of the tag that is being typed at the end of a prompt.

Discord takes 25 choices whose name and value have at most 100 characters, and a value replaces the whole prompt. So the
text before the tag, its brackets and its weight stay as typed, and what does not fit is not offered.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pastelbot.prompt.composition import end_as_tag
from pastelbot.prompt.tags.names import Span, spoken, tag_key, words, written

MOST_CHOICES = 25
_LONGEST = 100
# A tag has 200 characters at most; of a longer prompt no tag that ends within the limit is left to complete.
_LONGEST_PROMPT = _LONGEST + 200
_ARROW = " → "
_CLOSED = re.compile(r"(?::\s*+[\d.]++)?\s*+[)\]}]++")
# Not tags: an unfinished <lora:..>, a wildcard, a flag.
_NO_TAG = re.compile(r"<[a-z]|__|(?:.*\s)?(?:--|[—–])", re.IGNORECASE | re.DOTALL)
_MOMENT = re.compile(r"\[[^\]]*:\s*+[\d.]++$")
_NUMBER = re.compile(r":[\d.]++\Z")
# A <lora:..> that is being typed, or a keyword whose space is missing.
_UNTOUCHABLE = re.compile(r"<\w+:[^>]*$|\b(?:AND|BREAK)$")


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A prompt around the tag that is being typed; `present` are the keys of the tags before it."""

    head: str
    word: str
    tail: str
    present: frozenset[str]

    @property
    def key(self) -> str:
        """Return the typed word in the form used for comparison."""
        return tag_key(self.word)

    @property
    def whole_word(self) -> bool:
        """Return whether a space after it marks its last word as complete."""
        return bool(self.word) and self.word[-1] in " _"


class Candidate(NamedTuple):
    """A matching tag, with the `alias` through which it was found, if any."""

    name: str
    alias: str | None = None


class Completion(NamedTuple):
    """A choice as the user reads it, and the prompt that it stands for."""

    name: str
    value: str


def unfinished(text: str) -> Unfinished | None:
    """Find the tag that is being typed; None where there is none or no completion could fit.

    >>> unfinished("1girl, ((re_h:1.2").word
    're_h'
    """
    if len(text) > _LONGEST_PROMPT:
        return None
    spans = words(text)
    start, end = _typed(text, spans)
    typed = text[start:end]
    if start >= _LONGEST or _NO_TAG.match(typed) or _MOMENT.search(text[:end]) or _UNTOUCHABLE.search(text):
        return None
    space = text[end:] if not text[end:].strip() else ""
    before = (text[a:b] for a, b in spans if b <= start)
    return Unfinished(
        head=text[:start],
        word=typed + space if typed else "",
        tail=text[end + len(space) :],
        present=frozenset(map(tag_key, before)) - {""},
    )


def _typed(text: str, spans: list[Span]) -> Span:
    """Return the last tag, also after its brackets were closed."""
    last = next((span for span in reversed(spans) if span.start < span.end), spans[-1])
    return last if _CLOSED.fullmatch(text[last.end :]) else spans[-1]


def completions(typed: Unfinished, candidates: Iterable[Candidate]) -> list[Completion]:
    """Return the choices that fit, in the candidates' order, each tag once and without those already in the prompt."""
    found: dict[str, Completion] = {}
    for candidate in candidates:
        value = _completed(typed, candidate.name)
        if tag_key(candidate.name) in typed.present or value in found or len(value) > _LONGEST:
            continue
        found[value] = Completion(_shown(typed, candidate, value), value)
        if len(found) == MOST_CHOICES:
            break
    return list(found.values())


def _completed(typed: Unfinished, name: str) -> str:
    """Return the prompt with a tag; one that ends in a colon and a number has a comma, so that it is no weight."""
    tag, tail = written(name), typed.tail.lstrip()
    if _NUMBER.search(tag) and (not tail or tail.startswith(")")):
        tag += ","
    value = f"{typed.head}{tag}{typed.tail}"
    return value if tail else end_as_tag(value)


def _shown(typed: Unfinished, candidate: Candidate, value: str) -> str:
    """Return the choice's name: the value, which Discord lets users go on typing; an alias shows its tag."""
    if candidate.alias is None:
        return value
    arrow = f"{written(candidate.alias)}{_ARROW}{written(candidate.name)}"
    whole = f"{typed.head}{arrow}{typed.tail}"
    if len(whole) <= _LONGEST:
        return whole
    return arrow if len(arrow) <= _LONGEST else f"{arrow[: _LONGEST - 1]}…"


def without_arrows(prompt: str) -> str:
    """Return a prompt without the aliases of chosen completions: Discord continues from a choice's name.

    >>> without_arrows("1girl, (re hair → red hair:1.2), smile")
    '1girl, (red hair:1.2), smile'
    """
    if _ARROW not in prompt:
        return prompt
    pieces, done = [], 0
    for start, end in words(prompt):
        arrow = prompt.rfind(_ARROW, start, end)
        if arrow >= 0:
            pieces.append(prompt[done:start])
            done = arrow + len(_ARROW)
    return "".join([*pieces, prompt[done:]])


def label(name: str, count: int, alias: str | None = None) -> str:
    """Name a tag for a search: `re hair → red hair (1.1M)`."""
    end = f"{spoken(name)} ({short_count(count)})"
    return (f"{alias}{_ARROW}{end}" if alias else end)[:_LONGEST]


def short_count(count: int) -> str:
    """Write 6,008,644 as 6.0M, 437,000 as 437k."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        number = count / size
        if number >= 0.9995:
            return f"{number:.1f}{unit}" if number < 9.95 else f"{number:.0f}{unit}"
    return str(count)
