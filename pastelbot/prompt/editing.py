"""Prompt editing: a prompt that changes while it is painted.

`[from:to:when]` and `[to:when]` switch after a step, `[a|b]` alternates with every step. A `when` with a decimal point
is a share of the steps, without one a step. Anything else is text; emphasis is kept as it is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, cast

from pastelbot.errors import PromptError


@dataclass(frozen=True)
class _Switch:
    """`before` up to the step `when`, `after` from the next one on."""

    before: "_Nodes"
    after: "_Nodes"
    when: str


@dataclass(frozen=True)
class _Alternation:
    """The first option in step 1, the second in step 2, and round again."""

    options: "tuple[_Nodes, ...]"


_Node = str | _Switch | _Alternation
_Nodes = tuple[_Node, ...]


class ScheduledText(NamedTuple):
    """A text and the last step, counted from 1, that uses it."""

    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class _Timing:
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
    return EditedPrompt(prompt).schedule(steps, hires_steps, old=old)


class EditedPrompt:
    """A prompt that was parsed: the text and forms that it consists of; without any form it is one text."""

    def __init__(self, prompt: str) -> None:
        self._nodes = _Parser().parse(prompt)

    def schedule(self, steps: int, hires_steps: int | None = None, *, old: bool = False) -> list[ScheduledText]:
        """Return the texts that the prompt becomes in so many steps, as `prompt_schedule` does."""
        timing = _Timing(steps=steps, hires_steps=hires_steps, old=old)
        ends = sorted(_ends(self._nodes, timing))
        return [ScheduledText(end, _text_at(self._nodes, end, timing)) for end in ends]


def _ends(nodes: _Nodes, timing: _Timing) -> set[int]:
    """Return the steps after which the text may change."""
    ends = {timing.length}
    todo = [nodes]
    while todo:
        for node in todo.pop():
            if isinstance(node, _Switch):
                ends.add(max(timing.boundary(node.when), 0))
                todo += node.before, node.after
            elif isinstance(node, _Alternation):
                ends.update(range(1, timing.length + 1))
                todo += node.options
    return ends - {0}


def _text_at(nodes: _Nodes, step: int, timing: _Timing) -> str:
    pieces: list[str] = []
    stack: list[Iterator[_Node]] = [iter(nodes)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif isinstance(node, str):
            pieces.append(node)
        elif isinstance(node, _Switch):
            stack.append(iter(node.before if step <= timing.boundary(node.when) else node.after))
        else:
            stack.append(iter(node.options[(step - 1) % len(node.options)]))
    return "".join(pieces)


# The parser reads once from left to right and writes what it reads on a tape; a bracket only remembers where on the
# tape it began and where its separators stand. A closed form replaces its piece of the tape; everything else is text
# there already. So each piece is moved at most once, and neither depth nor length of a prompt can hurt. Inside brackets
# the forms are strict; outside, stray brackets and colons are text. Where a bracket turns out not to be a form, none of
# those around it is one. A stray `|` or backslash makes the whole prompt plain text.

_TOKEN = re.compile(r"(?:[^\\\[\]():|]|\\.)++|[\[\]():|]|\\")
_WHEN = re.compile(r"\s*+([+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)\s*+")
_OPENERS = {"]": "[", ")": "("}


class _NotAPromptError(Exception):
    """A character stands where the grammar does not allow it."""


@dataclass
class _Bracket:
    """An open bracket: the places on the tape of its opening sign and of its separators, of one kind or of both."""

    opener: str
    start: int
    separators: list[int] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def separate(self, separator: str, place: int) -> None:
        self.separators.append(place)
        self.kinds.add(separator)

    @property
    def is_emphasis(self) -> bool:
        """Return whether this may stand inside a form: `(x)`, `(x:y)` or `[x]`."""
        return not self.separators or (self.opener == "(" and self.kinds == {":"} and len(self.separators) == 1)


class _Parser:
    def __init__(self) -> None:
        self.tape: list[_Node] = []
        self.open: list[_Bracket] = []

    def parse(self, prompt: str) -> _Nodes:
        try:
            for match in _TOKEN.finditer(prompt):
                self._read(match[0])
            self._give_up()
        except _NotAPromptError:
            return (prompt,)
        return _joined(self.tape)

    def _read(self, piece: str) -> None:
        if piece in ("]", ")"):
            self._close(piece)
            return
        if piece in ("[", "("):
            self.open.append(_Bracket(piece, len(self.tape)))
        elif piece == "\\":
            raise _NotAPromptError
        elif piece == "|" or (piece == ":" and self.open):
            self._separate(piece)
        self.tape.append(piece)

    def _separate(self, piece: str) -> None:
        if piece == "|" and (not self.open or self.open[-1].opener != "["):
            raise _NotAPromptError
        self.open[-1].separate(piece, len(self.tape))

    def _close(self, closer: str) -> None:
        bracket = self.open[-1] if self.open else None
        if bracket is None or bracket.opener != _OPENERS[closer]:
            self._give_up()
        elif form := self._form(bracket, closer):
            self.open.pop()
            self.tape[bracket.start :] = [form]
            return
        elif bracket.is_emphasis:
            self.open.pop()
        else:
            self._give_up()
        self.tape.append(closer)

    def _form(self, bracket: _Bracket, closer: str) -> _Switch | _Alternation | None:
        """Return the form that this bracket is, if it is one."""
        if closer == ")" or not bracket.separators:
            return None
        if bracket.kinds == {"|"}:
            return _Alternation(tuple(self._parts(bracket)))
        if bracket.kinds != {":"} or len(bracket.separators) > 2:
            return None
        *texts, last = self._parts(bracket)
        if len(last) != 1 or not isinstance(last[0], str):
            return None
        when = _WHEN.fullmatch(last[0])
        return _Switch(texts[0] if len(texts) == 2 else (), texts[-1], when[1]) if when else None

    def _parts(self, bracket: _Bracket) -> Iterator[_Nodes]:
        """Yield what stands between the separators of the innermost bracket."""
        starts = [bracket.start, *bracket.separators]
        for start, end in zip(starts, [*bracket.separators, len(self.tape)], strict=True):
            yield _joined(self.tape[start + 1 : end])

    def _give_up(self) -> None:
        """Treat all open brackets as text."""
        if any("|" in bracket.kinds for bracket in self.open):
            raise _NotAPromptError
        self.open.clear()


def _joined(nodes: Iterable[_Node]) -> _Nodes:
    """Join neighbouring texts."""
    joined: list[_Node] = []
    for is_text, run in groupby(nodes, lambda node: isinstance(node, str)):
        same = list(run)
        joined += ["".join(cast(list[str], same))] if is_text else same
    return tuple(joined)
