r"""Permutations and wildcards: expansion of one prompt into several. Pure text.

    {red,blue} hair    every option: a prompt each
    {red|blue} hair    one of them
    {2::red|blue}      one of them, red twice as often
    {2$$red|blue|pink} two of them, `{1-2$$ and $$a|b}` one or two with " and " between them
    __haircolor__      one line of the wildcard of that name

The seed of a picture alone decides what is picked for it. Braces nest; those without a comma or bar of their own are
text, and so is `{` behind a backslash. A line of a wildcard may hold all of this itself; there `{a,b}` picks one.
Brackets of the prompt language and `<...>` are left as they are, and what stands inside `(...)`, `[...]` and `<...>`
never separates.
"""

import bisect
import hashlib
import itertools
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pastelbot.errors import LimitError, PromptError, in_code
from pastelbot.prompt.dynamic_prompts import refuse_unsupported
from pastelbot.prompt.extra_networks import TagPattern
from pastelbot.prompt.wildcard_lists import Wildcards

_LONGEST = 16_000  # characters of an expanded prompt, far beyond what may be painted
_DEEPEST = 20
_MOST_PICKS = 1000
# Vowels and accents of many scripts are marks, which are no \w.
_MARKS = "".join(sign for sign in map(chr, range(0x300, 0x20000)) if unicodedata.category(sign).startswith("M"))
# Signs that mean nothing in prompts: those of any script, but for the ones that end or weight something.
_NO_SIGN = r"\s,|{}()\[\]<>:*\"_"
_NAME = rf"[^\W_](?:(?:(?!__)[^\n\r\t,|{{}}()\[\]<>:*\"]){{0,200}}?(?:[^{_NO_SIGN}./\\-]|[{_MARKS}]))?"
# Written against a word or with blanks inside: dynamic prompts takes it for a wildcard, but so may signs and gaps look.
_LOOSE_NAME = rf" {{0,3}}{_NAME} {{0,3}}"
_PLAIN_NAME = re.compile(_NAME)
_COUNT = re.compile(r"\s*+(?:[~@](?=[\d-]))?(\d{1,3})?\s*+(-)?\s*+(\d{1,3})?\s*+\$\$(?:([^$]*+)\$\$)?")
_OPTION_WEIGHT = re.compile(r"\s*+(\d{1,6}(?:\.\d{1,6})?)::")
_TRIES = 4  # for each different line that is to be drawn
_TO_ESCAPE = TagPattern(
    r"<\w+:[^>]*>",
    rf"\\.|[{{}}]|(?<![A-Za-z0-9])__(?=[^\W_])"
    rf"|__(?=[~@!*]|{_LOOSE_NAME}__|[^\w\s][^,\n]{{0,200}}?__(?![A-Za-z0-9]))",
)


@dataclass(frozen=True)
class _Wildcard:
    """A wildcard; `otherwise` is the text that it is where there is none of its name, None if that is an error."""

    name: str
    position: int
    otherwise: str | None = None


@dataclass(frozen=True)
class _Choice:
    """Options in braces; `every` are a prompt each, else one is picked by the weights, or `least` to `most`."""

    options: "tuple[_Nodes, ...]"
    every: bool
    weights: tuple[float, ...] = ()
    least: int = 1
    most: int | None = 1
    joiner: str = ", "


_Node = str | _Wildcard | _Choice
_Nodes = tuple[_Node, ...]


_NO_WILDCARDS = Wildcards({})


@lru_cache(maxsize=4)
def _signed(names: Sequence[str]) -> str:
    """Return a pattern of the names whose signs mean something in prompts, such as `hair (red)`: these are literal."""
    literal = (re.escape(name) for name in names if _PLAIN_NAME.fullmatch(name) is None)
    return "|".join(sorted(literal, key=len, reverse=True)) or "(?!)"


@lru_cache(maxsize=4)
def _tokens(names: Sequence[str]) -> TagPattern:
    """Return the pattern of what a prompt is taken apart into, where there are wildcards of these names."""
    return TagPattern(
        r"<\w+:[^>]*>",
        rf"\\([{{}}]|__)|\\.|(?<![A-Za-z0-9])_{{2,6}}((?i:{_signed(names)})(?=__)|{_NAME})_{{2,6}}(?![A-Za-z0-9])"
        rf"|_{{2,6}}({_LOOSE_NAME})_{{2,6}}|[{{}}()\[\],|]|[^\\<>{{}}()\[\],|_]+|.",
    )


@lru_cache(maxsize=4)
def _mentions(names: Sequence[str]) -> re.Pattern[str]:
    """Return the pattern of wildcards whose names have signs of prompts."""
    return re.compile(rf"__(?i:{_signed(names)})__")


@dataclass
class _Picker:
    """Picks by the seed: the n-th pick of a prompt depends on the seed and n, not on what was picked before."""

    seed: int
    wildcards: Wildcards
    picks: Iterator[int] = field(default_factory=itertools.count)

    def index(self, count: int, weights: Sequence[float] = ()) -> int:
        number = next(self.picks)
        if number >= _MOST_PICKS:
            raise LimitError(f"The wildcards and braces pick more than {_MOST_PICKS:,} times, which is far too often.")
        digest = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big")
        if not any(weights):
            return drawn % count
        return min(bisect.bisect(list(itertools.accumulate(weights)), drawn / 2**64 * sum(weights)), count - 1)

    def text(self, nodes: _Nodes, trail: "tuple[_Wildcard, ...]" = ()) -> str:
        """Return the text of nodes that stand in the lines of the wildcards of `trail`, the typed one first."""
        return "".join(self._one(node, trail) for node in nodes)

    def _one(self, node: _Node, trail: "tuple[_Wildcard, ...]") -> str:
        if isinstance(node, str):
            return node
        if isinstance(node, _Choice):
            return self._picked(node, trail)
        if node.otherwise is not None and node.name not in self.wildcards:
            return node.otherwise
        trail = (*trail, node)
        position = trail[0].position
        if len(trail) > _DEEPEST:
            raise PromptError(
                f"The wildcard `__{in_code(trail[0].name[:60])}__` (at character {position + 1}) leads back to itself: "
                f"its lines name each other more than {_DEEPEST} times in a row.",
                position=position,
            )
        lines = self.wildcards.lines(node.name, position)
        try:
            weights, texts = _weighed(lines)
            inner = _parse(texts[self.index(len(lines), weights)], self.wildcards)
        except (PromptError, LimitError) as error:
            raise PromptError(
                f"The wildcard `__{in_code(node.name[:60])}__` (at character {position + 1}) has a line with an error. "
                f"{error}",
                position=position,
            ) from error
        return self.text(inner, trail)

    def _picked(self, choice: _Choice, trail: "tuple[_Wildcard, ...]") -> str:
        """Return the options that are picked, each once; of a single wildcard as many different lines."""
        options, weights = list(choice.options), list(choice.weights)
        only_wildcard = len(options) == 1 and any(isinstance(node, _Wildcard) for node in options[0])
        most = choice.most if choice.most is not None else len(options)
        least = min(choice.least, most)
        count = least + (self.index(most - least + 1) if most > least else 0)
        if only_wildcard:
            drawn = dict.fromkeys(self.text(options[0], trail) for _try in range(_TRIES * count))
            return choice.joiner.join(list(drawn)[:count])
        texts = []
        for _pick in range(min(count, len(options))):
            place = self.index(len(options), weights)
            texts.append(self.text(options.pop(place), trail))
            weights[place : place + 1] = []
        return choice.joiner.join(texts)


def _weighed(lines: Sequence[str]) -> tuple[Sequence[float], Sequence[str]]:
    """Return the weights in front of lines, such as `3::red`, and the lines without them; no weights if none has."""
    matches = [_OPTION_WEIGHT.match(line) for line in lines]
    if not any(matches):
        return (), lines
    return (
        [1.0 if match is None else float(match[1]) for match in matches],
        [line if match is None else line[match.end() :] for line, match in zip(lines, matches, strict=True)],
    )


def expand(
    prompt: str, *, seeds: Sequence[int], wildcards: Wildcards = _NO_WILDCARDS, limit: int
) -> list[tuple[str, ...]]:
    """Return all prompts that a prompt stands for, in their order, as a text for each of the seeds.

    A prompt that stands for itself alone is the only one. Raises PromptError, with the position, for unclosed braces
    and unknown wildcards, and LimitError where there are more than `limit` prompts.
    """
    nodes = _parse(prompt, wildcards)
    count = _count(nodes)
    if count > limit:
        shown = f"{count:,}" if count < 10**12 else "far too many"
        raise LimitError(f"The braces make {shown} different prompts; the limit is {limit}. Leave some of them out.")
    expanded = [tuple(_painted(choice, seed, wildcards) for seed in seeds) for choice in _every(nodes)]
    return list(dict.fromkeys(expanded))


def _painted(nodes: _Nodes, seed: int, wildcards: Wildcards) -> str:
    """Return the text of nodes with what a seed picks."""
    text = _Picker(seed, wildcards).text(nodes)
    if len(text) > _LONGEST:
        raise LimitError(f"With its wildcards the prompt has {len(text):,} characters, which is far too long.")
    return text


def escape(prompt: str) -> str:
    """Escape a prompt so that `expand` returns it unchanged."""
    return _TO_ESCAPE.sub(prompt, lambda match: f"\\{match[0]}" if match[0] in {"{", "}", "__"} else match[0])


def unescape(text: str) -> str:
    """Return a text that `escape` has escaped as it was."""
    return re.sub(r"\\(\{|\}|__)", r"\1", text)


def _count(nodes: _Nodes) -> int:
    return math.prod(
        sum(_count(option) for option in node.options) for node in nodes if isinstance(node, _Choice) and node.every
    )


def _every(nodes: _Nodes) -> Iterator[_Nodes]:
    """Yield the nodes once for each combination of the options that are all painted."""
    choices: list[list[_Nodes]] = []
    for node in nodes:
        if isinstance(node, _Choice) and node.every:
            choices.append([nodes for option in node.options for nodes in _every(option)])
        else:
            choices.append([(node,)])
    for combination in itertools.product(*choices):
        yield tuple(itertools.chain.from_iterable(combination))


class _Brace:
    """An open brace, or the prompt itself: segments of nodes with the separators between them."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.segments: list[list[_Node]] = [[]]
        self.separators: list[str] = []
        self.brackets = 0

    def add(self, node: _Node) -> None:
        self.segments[-1].append(node)

    def separate(self, sign: str) -> None:
        self.separators.append(sign)
        self.segments.append([])

    def nodes(self) -> _Nodes:
        """Return all nodes, the separators as text again."""
        return self._joined(self.segments, self.separators)

    def close(self) -> _Nodes:
        """Return what the braces mean: a choice at the bars, else at the commas, else text."""
        options = self._options()
        count = _COUNT.match(_leading(options[0]))
        if count is not None and any(count.group(1, 2, 3)):
            return self._several(count, options)
        weights = [_OPTION_WEIGHT.match(_leading(option)) for option in options]
        if "|" not in self.separators:
            if not self.separators:
                return ("{", *self.nodes(), "}")
            if weights[0] is not None:
                raise PromptError(
                    f"The braces at character {self.position + 1} have a weight: separate their options with `|`, as "
                    "in `{2::red|blue}`.",
                    position=self.position,
                )
            return (_Choice(tuple(_stripped(segment) for segment in self.segments), every=True),)
        return (_choice(options, weights),)

    def _several(self, count: re.Match[str], options: "list[_Nodes]") -> _Nodes:
        if "," in self.separators and "|" not in self.separators:
            raise PromptError(
                f"The braces at character {self.position + 1} pick several: separate their options with `|`, as in "
                "`{2$$red|blue|pink}`.",
                position=self.position,
            )
        least, dash, most, joiner = count.groups()
        options[0] = _without(options[0], count.end())
        choice = _choice(options, [_OPTION_WEIGHT.match(_leading(option)) for option in options])
        return (
            replace(
                choice,
                least=int(least) if least else 1,
                most=int(most) if most else (None if dash else int(least or 1)),
                joiner=", " if joiner is None else joiner,
            ),
        )

    def _options(self) -> "list[_Nodes]":
        """Return what is between the bars; commas are text there."""
        options, first = [], 0
        for number, sign in enumerate([*self.separators, "|"]):
            if sign == "|":
                part = self._joined(self.segments[first : number + 1], self.separators[first:number])
                options.append(_stripped(part))
                first = number + 1
        return options

    @staticmethod
    def _joined(segments: Sequence[Sequence[_Node]], separators: Sequence[str]) -> _Nodes:
        nodes: list[_Node] = list(segments[0])
        for sign, segment in zip(separators, segments[1:], strict=True):
            nodes += [sign, *segment]
        return tuple(nodes)


def _choice(options: "Sequence[_Nodes]", weights: Sequence[re.Match[str] | None]) -> _Choice:
    """Return a choice of one of the options, by the weights in front of those that have one."""
    if not any(weights):
        return _Choice(tuple(options), every=False)
    return _Choice(
        tuple(
            option if match is None else _without(option, match.end())
            for option, match in zip(options, weights, strict=True)
        ),
        every=False,
        weights=tuple(1.0 if match is None else float(match[1]) for match in weights),
    )


def _leading(nodes: _Nodes) -> str:
    """Return the text that nodes begin with."""
    return "".join(itertools.takewhile(lambda node: isinstance(node, str), nodes))  # type: ignore[arg-type]


def _without(nodes: _Nodes, length: int) -> _Nodes:
    """Take so many characters of text away from the start of nodes."""
    text = _leading(nodes)
    rest = tuple(itertools.dropwhile(lambda node: isinstance(node, str), nodes))
    return _stripped((text[length:], *rest))


def _stripped(nodes: Sequence[_Node]) -> _Nodes:
    """Take the blanks at both ends away."""
    changed = list(nodes)
    if changed and isinstance(changed[0], str):
        changed[0] = changed[0].lstrip()
    if changed and isinstance(changed[-1], str):
        changed[-1] = changed[-1].rstrip()
    return tuple(changed)


def _parse(prompt: str, wildcards: Wildcards) -> _Nodes:
    # Names of files may look like parameters and patterns: `__hair(red)__`.
    refuse_unsupported(_mentions(wildcards.names).sub(lambda match: " " * len(match[0]), prompt))
    stack = [_Brace(-1)]
    for match in _tokens(wildcards.names).find(prompt):
        _read(stack, match)
    if len(stack) > 1:
        position = stack[-1].position
        raise PromptError(
            f"The brace {{ at character {position + 1} is never closed: close it as in {{red,blue}}, or write `\\{{` "
            "for the sign itself.",
            position=position,
        )
    return stack[0].nodes()


def _wildcard(match: re.Match[str]) -> _Wildcard:
    """Return a wildcard; one against words or with blanks inside may be text, as faces and gaps are (`x__x`)."""
    if match[2] is not None:
        return _Wildcard(match[2], match.start())
    name, text = match[3].strip(), match.string
    inside = text[match.start() - 1 : match.start()].isalnum() and text[match.end() : match.end() + 1].isalnum()
    return _Wildcard(name, match.start(), match[0] if inside or len(name) == 1 else None)


def _read(stack: list[_Brace], match: re.Match[str]) -> None:
    sign, top = match[0], stack[-1]
    if match[1] is not None:
        top.add(match[1])
    elif match[2] is not None or match[3] is not None:
        top.add(_wildcard(match))
    elif sign == "{":
        if len(stack) > _DEEPEST:
            raise LimitError(
                f"The brace at character {match.start() + 1} is the {_DEEPEST + 1}th inside another; {_DEEPEST} is the "
                "limit."
            )
        stack.append(_Brace(match.start()))
    elif sign == "}" and len(stack) > 1:
        for node in stack.pop().close():
            stack[-1].add(node)
    elif sign in {",", "|"} and len(stack) > 1 and not top.brackets:
        top.separate(sign)
    else:
        if sign in {"(", "["}:
            top.brackets += 1
        elif sign in {")", "]"}:
            top.brackets = max(0, top.brackets - 1)
        top.add(sign)
