"""Attention: emphasis syntax that weights parts of a prompt.

`(x)` counts 1.1 times, `[x]` 1/1.1 times, `(x:1.3)` 1.3 times; brackets nest and multiply. A backslash takes a bracket
literally. `BREAK` closes a chunk. An unclosed bracket is closed at the end; an unmatched closing bracket is text.
"""

import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from pastelbot.errors import PromptError

_BREAK = "BREAK"
_BREAK_WEIGHT = -1.0
_ROUND = 1.1
_SQUARE = 1 / 1.1
_EXACT = 64

# In order: escaped character or lone backslash; closing weight; bracket or colon; anything else.
_TOKEN = re.compile(r"\\([\\()\[\]]?)|:\s*+([+-]?[.\d]++)\s*+\)|[()\[\]:]|[^\\()\[\]:]++")
_BREAK_WORD = re.compile(r"\bBREAK\b")


class Fragment(NamedTuple):
    """A piece of text and the weight of its tokens; a chunk break is `Fragment("BREAK", -1.0)`."""

    text: str
    weight: float

    @property
    def is_break(self) -> bool:
        """Return whether this is a chunk break instead of text."""
        return self.text == _BREAK and self.weight == _BREAK_WEIGHT


class _Scope(NamedTuple):
    """A closed bracket: the texts from index `start` up to `end` count `factor` times."""

    start: int
    end: int
    factor: float


@dataclass
class _Reading:
    """Parser state: the fragments read so far, the starts of open brackets by kind, and the closed ones in order."""

    texts: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    round_starts: list[int] = field(default_factory=list)
    square_starts: list[int] = field(default_factory=list)
    scopes: list[_Scope] = field(default_factory=list)

    def add(self, text: str, weight: float = 1.0) -> None:
        self.texts.append(text)
        self.weights.append(weight)

    def add_plain(self, text: str) -> None:
        first, *others = _BREAK_WORD.split(text)
        self.add(first.rstrip() if others else first)
        for number, part in enumerate(others, start=1):
            self.add(_BREAK, _BREAK_WEIGHT)
            self.add(part.lstrip() if number == len(others) else part.strip())

    def multiply(self, start: int, factor: float) -> None:
        if start < len(self.texts):
            self.scopes.append(_Scope(start, len(self.texts), factor))

    def close_all(self) -> None:
        for start in self.round_starts:
            self.multiply(start, _ROUND)
        for start in self.square_starts:
            self.multiply(start, _SQUARE)

    def merged(self) -> Iterator[Fragment]:
        """Yield the fragments, neighbours of equal weight joined."""
        weighted = zip(_weighted(self.weights, self.scopes), self.texts, strict=True)
        for weight, run in groupby(weighted, itemgetter(0)):
            yield Fragment("".join(text for _weight, text in run), weight)


class _Product:
    """The product of numbered factors, each 1 until it is set; setting one takes the logarithm of their count."""

    def __init__(self, count: int) -> None:
        self._count = max(1, count)
        self._tree = [1.0] * (2 * self._count)

    def set(self, number: int, factor: float) -> None:
        node = number + self._count
        self._tree[node] = factor
        while node > 1:
            node //= 2
            self._tree[node] = self._tree[2 * node] * self._tree[2 * node + 1]

    @property
    def value(self) -> float:
        return self._tree[1]


def _weighted(weights: Sequence[float], scopes: Sequence[_Scope]) -> Iterator[float]:
    """Yield each weight times the factors of the scopes around it, in time n log n.

    The factors are applied one by one in the order in which the brackets closed, as the webui rounds them; only inside
    more than _EXACT brackets, where a weight is far beyond use, their product is taken at once.
    """
    changes = [(scope.start, number, scope.factor) for number, scope in enumerate(scopes)]
    changes += [(scope.end, number, 1.0) for number, scope in enumerate(scopes)]
    around: set[int] = set()
    product, todo = _Product(len(scopes)), deque(sorted(changes, key=itemgetter(0)))
    for place, weight in enumerate(weights):
        while todo and todo[0][0] == place:
            _place, number, factor = todo.popleft()
            product.set(number, factor)
            around ^= {number}
        if len(around) > _EXACT:
            yield weight * product.value
        else:
            yield math.prod((scopes[number].factor for number in sorted(around)), start=weight)


def parse_attention(text: str) -> list[Fragment]:
    """Split a text into fragments with weights; the result is never empty.

    Raise PromptError where a weight is not a number, as in `(x:1.2.3)`.
    """
    reading = _Reading()
    for token in _TOKEN.finditer(text):
        _read_token(reading, token)
    reading.close_all()
    return list(reading.merged()) or [Fragment("", 1.0)]


def _read_token(reading: _Reading, token: re.Match[str]) -> None:
    whole, escaped, weight = token[0], token[1], token[2]
    if escaped is not None:
        reading.add(escaped)
    elif whole == "(":
        reading.round_starts.append(len(reading.texts))
    elif whole == "[":
        reading.square_starts.append(len(reading.texts))
    elif weight is not None and reading.round_starts:
        reading.multiply(reading.round_starts.pop(), _number(weight, token.start(2)))
    elif whole == ")" and reading.round_starts:
        reading.multiply(reading.round_starts.pop(), _ROUND)
    elif whole == "]" and reading.square_starts:
        reading.multiply(reading.square_starts.pop(), _SQUARE)
    else:
        reading.add_plain(whole)


def _number(text: str, position: int) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"The weight {text!r} at character {position + 1} is not a number. Write for example (word:1.2)."
        raise PromptError(message, position=position) from None
