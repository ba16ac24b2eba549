"""Composition: `a cat AND a dog :0.8` guides a picture by several prompts at once, each with its weight."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"[-+]?(?:\d++\.?|\d*+\.\d++)")


class Part(NamedTuple):
    """One prompt of a composition and its weight."""

    text: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Composition:
    """The prompts of a batch: different `texts`, and for each prompt its (index of the text, weight) pairs."""

    texts: tuple[str, ...]
    images: tuple[tuple[tuple[int, float], ...], ...]


def split_and(prompt: str) -> list[Part]:
    """Split a prompt at `AND`; a part without a weight behind a colon at its end counts 1."""
    return [_part(text) for text in _AND.split(prompt)]


def compose(prompts: Sequence[str]) -> Composition:
    """Split prompts at `AND` and number their different texts in the order of appearance."""
    numbers: dict[str, int] = {}
    images = tuple(
        tuple((numbers.setdefault(part.text, len(numbers)), part.weight) for part in split_and(prompt))
        for prompt in prompts
    )
    return Composition(texts=tuple(numbers), images=images)


def _part(text: str) -> Part:
    head, colon, tail = text.rpartition(":")
    weight = tail.strip()  # float() itself takes no separators such as U+001F at the end
    if colon and _WEIGHT.fullmatch(weight):
        return Part(head.rstrip(), float(weight))
    return Part(text.rstrip(), 1.0)
