"""Composition: `a cat AND a dog :0.8` guides a picture by several prompts at once, each with its weight."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_AND = re.compile(r"\bAND\b")
_FACE_IN_BRACKETS = re.compile(r"((?:(?<!\\)\(|,)\s*+>?:3)(?=\s*+\))")
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


def end_as_tag(prompt: str) -> str:
    """Return a typed prompt whose end is no weight by accident: a comma is put behind a tag such as `:3` or `16:9`.

    The webui reads the end of a prompt as its weight in a composition. That is meant only where there is one, and not
    even there for a tag that is nothing but a colon and a number. In brackets a number is a weight, but for the tag :3.
    """
    prompt = _FACE_IN_BRACKETS.sub(r"\1,", prompt)
    ends = [match.start() for match in _AND.finditer(prompt)]
    pieces, start = [], 0
    for end in [*ends, len(prompt)]:
        place = _end_of_weight(prompt, start, end)
        if place is not None and (not ends or _own_tag(prompt, start, place)):
            pieces += [prompt[start:place], ",", prompt[place:end]]
        else:
            pieces.append(prompt[start:end])
        start = end
    return "".join(pieces)


def _end_of_weight(prompt: str, start: int, end: int) -> int | None:
    """Return where the weight at the end of a part ends, before blanks and `<lora:...>`; None where there is none."""
    while end > start:
        if prompt[end - 1].isspace():
            end -= 1
        elif prompt[end - 1] == ">" and (opened := prompt.rfind("<", start, end)) >= 0 and ":" in prompt[opened:end]:
            end = opened
        else:
            break
    colon = prompt.rfind(":", start, end)
    if prompt.count("(", start, end) > prompt.count(")", start, end):
        return None  # a bracket that is not closed: the weight is meant
    return end if colon >= 0 and _WEIGHT.fullmatch(prompt[colon + 1 : end].strip()) else None


def _own_tag(prompt: str, start: int, end: int) -> bool:
    """Return whether the weight that ends there is a whole tag, as in `smile, :3`."""
    before = prompt[start : prompt.rfind(":", start, end)].rstrip(" ")
    return not before or before[-1] in ",\n"


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
