"""Prompt editing: a prompt that changes while it is painted.

`[from:to:when]` and `[to:when]` switch after a step, `[a|b]` alternates with every step. A `when` with a decimal point
is a share of the steps, without one a step. Anything that is not quite such a form is text; emphasis is kept as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pastelbot.errors import PromptError


@dataclass(frozen=True)
class Switch:
    """`before` up to the step `when`, `after` from the next one on."""

    before: "Nodes"
    after: "Nodes"
    when: str


@dataclass(frozen=True)
class Alternation:
    """The first option in step 1, the second in step 2, and round again."""

    options: "tuple[Nodes, ...]"


Node = str | Switch | Alternation
Nodes = tuple[Node, ...]


class ScheduledText(NamedTuple):
    """A text and the last step, counted from 1, that uses it."""

    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The steps that a prompt is spread over.

    `hires_steps` is None in the first pass. In the hires pass, `when` counts on from the first pass: 1.5 is the middle
    of the second pass, and `steps` + 3 its third step. `old` is the webui's former rule, the same for both passes.
    """

    steps: int
    hires_steps: int | None = None
    old: bool = False

    @property
    def length(self) -> int:
        """Return the number of steps of this pass."""
        return self.steps if self.hires_steps is None else self.hires_steps

    def boundary(self, when: str) -> int:
        """Return the last step before a switch, at most the last step of the pass and perhaps below 1."""
        value = float(when)
        if self.old:
            value = value * self.length if value < 1 else value
        elif "." in when:
            value = (value - (0 if self.hires_steps is None else 1)) * self.length
        elif self.hires_steps is not None:
            value -= self.steps
        try:
            return min(self.length, int(value))
        except OverflowError:
            raise PromptError(f"The step {when!r} in the prompt is too large.") from None


def prompt_schedule(
    prompt: str, steps: int, hires_steps: int | None = None, *, old: bool = False
) -> list[ScheduledText]:
    """Return the texts that a prompt becomes, in the order of their steps; the last ends with the pass."""
    timing = Timing(steps=steps, hires_steps=hires_steps, old=old)
    nodes = parse_editing(prompt)
    return [ScheduledText(end, _text_at(nodes, end, timing)) for end in sorted(_ends(nodes, timing))]


def parse_editing(prompt: str) -> Nodes:
    """Return the text and forms that a prompt consists of; without any form it is one text."""
    return _Parser().parse(prompt)


def _ends(nodes: Nodes, timing: Timing) -> set[int]:
    """Return the steps after which the text may change."""
    ends = {timing.length}
    todo = [nodes]
    while todo:
        for node in todo.pop():
            if isinstance(node, Switch):
                ends.add(max(timing.boundary(node.when), 0))
                todo += node.before, node.after
            elif isinstance(node, Alternation):
                ends.update(range(1, timing.length + 1))
                todo += node.options
    return ends - {0}


def _text_at(nodes: Nodes, step: int, timing: Timing) -> str:
    pieces: list[str] = []
    stack: list[Iterator[Node]] = [iter(nodes)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif isinstance(node, str):
            pieces.append(node)
        elif isinstance(node, Switch):
            stack.append(iter(node.before if step <= timing.boundary(node.when) else node.after))
        else:
            stack.append(iter(node.options[(step - 1) % len(node.options)]))
    return "".join(pieces)


# The parser reads once from left to right and keeps the open brackets on a stack of its own, so that neither depth nor
# length of a prompt can hurt it. Inside brackets the forms are strict; outside, stray brackets and colons are text. So
# where a bracket turns out to be no form, all those around it are none either, and become text together. A `|` or a
# backslash astray makes the whole prompt plain text.

_TOKEN = re.compile(r"(?:[^\\\[\]():|]|\\.)++|[\[\]():|]|\\")
_WHEN = re.compile(r"\s*+([+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)\s*+")
_OPENERS = {"]": "[", ")": "("}


class _NotAPromptError(Exception):
    """A character stands where the language has no place for it."""


class _Bracket:
    """An open bracket, or the prompt itself: segments of nodes, and the separators between them."""

    def __init__(self, opener: str) -> None:
        self.opener = opener
        self.segments: list[list[Node]] = [[]]
        self.separators: list[str] = []

    def separate(self, separator: str) -> None:
        self.separators.append(separator)
        self.segments.append([])

    def add(self, node: Node) -> None:
        last = self.segments[-1]
        if isinstance(node, str) and last and isinstance(last[-1], str):
            last[-1] += node
        else:
            last.append(node)

    def add_as_text(self, other: "_Bracket", closer: str = "") -> None:
        """Take over another bracket's contents, with what it was written with."""
        for written, segment in zip([other.opener, *other.separators], other.segments, strict=True):
            self.add(written)
            for node in segment:
                self.add(node)
        if closer:
            self.add(closer)

    def form(self) -> Switch | Alternation | None:
        """Return the form that this square bracket is, if it is one."""
        kinds = set(self.separators)
        parts = [tuple(segment) for segment in self.segments]
        if kinds == {"|"}:
            return Alternation(tuple(parts))
        if kinds != {":"} or len(parts) > 3 or len(parts[-1]) != 1 or not isinstance(parts[-1][0], str):
            return None
        when = _WHEN.fullmatch(parts[-1][0])
        return Switch(parts[0] if len(parts) == 3 else (), parts[-2], when[1]) if when else None

    @property
    def is_emphasis(self) -> bool:
        """Return whether this may stand inside a form: `(x)`, `(x:y)` or `[x]`."""
        return not self.separators or (self.opener == "(" and self.separators == [":"])


class _Parser:
    def __init__(self) -> None:
        self.open = [_Bracket("")]

    def parse(self, prompt: str) -> Nodes:
        try:
            for match in _TOKEN.finditer(prompt):
                self._read(match[0])
            self._give_up()
        except _NotAPromptError:
            return (prompt,)
        return tuple(node for node in self.open[0].segments[0] if node)

    def _read(self, piece: str) -> None:
        if piece in ("[", "("):
            self.open.append(_Bracket(piece))
        elif piece in ("]", ")"):
            self._close(piece)
        elif piece == "\\":
            raise _NotAPromptError
        elif piece == "|" or (piece == ":" and len(self.open) > 1):
            self._separate(piece)
        else:
            self.open[-1].add(piece)

    def _separate(self, piece: str) -> None:
        if piece == "|" and self.open[-1].opener != "[":
            raise _NotAPromptError
        self.open[-1].separate(piece)

    def _close(self, closer: str) -> None:
        bracket = self.open[-1]
        if bracket.opener == _OPENERS[closer]:
            form = bracket.form() if closer == "]" else None
            if form or bracket.is_emphasis:
                self.open.pop()
                self._keep(bracket, form, closer)
                return
        self._give_up()
        self.open[0].add(closer)

    def _keep(self, bracket: _Bracket, form: Switch | Alternation | None, closer: str) -> None:
        if form:
            self.open[-1].add(form)
        else:
            self.open[-1].add_as_text(bracket, closer)

    def _give_up(self) -> None:
        """Take all open brackets for text."""
        outermost, *inner = self.open
        for bracket in inner:
            if "|" in bracket.separators:
                raise _NotAPromptError
            outermost.add_as_text(bracket)
        self.open = [outermost]
