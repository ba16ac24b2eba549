"""Chunks: a prompt's tokens in rows of 75 with their weights, as the text encoder takes them.

A chunk is closed when it holds 75 tokens, or by `BREAK`. A chunk that fills up a few tokens after a comma is cut at
that comma instead, so that a tag is not torn apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pastelbot.prompt.attention import Fragment, parse_attention

CHUNK_LENGTH = 75
COMMA_BACKTRACK = 20
_NO_EMPHASIS = "None"


class Tokenizer(Protocol):
    """What chunking needs of a tokenizer."""

    start: int
    end: int
    comma: int

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text, without start and end."""
        ...


class Placed(NamedTuple):
    """A textual-inversion embedding of `vectors` vectors that takes the places from token `offset` of a chunk on."""

    offset: int
    name: str
    vectors: int


class Chunk(NamedTuple):
    """77 token ids (start, 75 tokens, end), their weights, and the embeddings placed among them."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    embeddings: tuple[Placed, ...] = ()


class PromptLine(NamedTuple):
    """The chunks of a text and its token count: 75 for each closed chunk, plus those of the last."""

    chunks: tuple[Chunk, ...]
    token_count: int

    @property
    def limit(self) -> int:
        """Return the capacity in tokens of as many chunks as the count needs, shown behind the count."""
        return max(1, -(-self.token_count // CHUNK_LENGTH)) * CHUNK_LENGTH


class EmbeddingNames:
    """The textual-inversion embeddings that a prompt may call by name: name -> number of vectors."""

    def __init__(self, vectors: Mapping[str, int], tokenizer: Tokenizer) -> None:
        self._by_first: dict[int, list[tuple[list[int], str, int]]] = {}
        for name, count in vectors.items():
            if tokens := tokenizer.encode(name):
                self._by_first.setdefault(tokens[0], []).append((tokens, name, count))
        for candidates in self._by_first.values():
            candidates.sort(key=lambda candidate: len(candidate[0]), reverse=True)

    def find(self, tokens: Sequence[int], position: int) -> tuple[str, int, int] | None:
        """Return (name, vectors, tokens of the name) of the longest name that stands at a position."""
        for name_tokens, name, vectors in self._by_first.get(tokens[position], ()):
            if list(tokens[position : position + len(name_tokens)]) == name_tokens:
                return name, vectors, len(name_tokens)
        return None


@dataclass
class _Chunker:
    """Builder of chunks: those closed so far, and the open one."""

    tokenizer: Tokenizer
    backtrack: int

    def __post_init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.token_count = 0
        self._open([], [])

    def _open(self, tokens: list[int], weights: list[float]) -> None:
        self.tokens, self.weights = tokens, weights
        self.placed: list[Placed] = []
        self.last_comma: int | None = None

    def close(self, *, is_last: bool = False) -> None:
        """Fill the open chunk up, keep it and open the next."""
        self.token_count += len(self.tokens) if is_last else CHUNK_LENGTH
        padding = CHUNK_LENGTH - len(self.tokens)
        tokens = (self.tokenizer.start, *self.tokens, *[self.tokenizer.end] * (padding + 1))
        weights = (1.0, *self.weights, *[1.0] * (padding + 1))
        self.chunks.append(Chunk(tokens, weights, tuple(self.placed)))
        self._open([], [])

    def add(self, token: int, weight: float) -> None:
        """Put a token into the open chunk, or into the next where this is full."""
        self.make_room(token)
        self.tokens.append(token)
        self.weights.append(weight)

    def place(self, name: str, vectors: int, token: int, weight: float) -> None:
        """Put an embedding into the open chunk, or whole into the next."""
        self.make_room(token)
        if len(self.tokens) + vectors > CHUNK_LENGTH:
            self.close()
        self.placed.append(Placed(len(self.tokens), name, vectors))
        self.tokens += [0] * vectors
        self.weights += [weight] * vectors

    def make_room(self, token: int) -> None:
        """Close the open chunk when it is full, at its last comma where that is near."""
        if token == self.tokenizer.comma:
            self.last_comma = len(self.tokens)
        elif len(self.tokens) == CHUNK_LENGTH and self._comma_is_near():
            self._close_at_comma()
        if len(self.tokens) == CHUNK_LENGTH:
            self.close()

    def _comma_is_near(self) -> bool:
        return self.last_comma is not None and len(self.tokens) - self.last_comma <= self.backtrack

    def _close_at_comma(self) -> None:
        cut = (self.last_comma or 0) + 1
        tokens, weights = self.tokens[cut:], self.weights[cut:]
        placed = [place._replace(offset=place.offset - cut) for place in self.placed if place.offset >= cut]
        self.tokens, self.weights = self.tokens[:cut], self.weights[:cut]
        self.placed = self.placed[: len(self.placed) - len(placed)]
        self.close()
        self._open(tokens, weights)
        self.placed = placed


def chunk_text(
    tokenizer: Tokenizer,
    text: str,
    *,
    emphasis: str = "Original",
    backtrack: int = COMMA_BACKTRACK,
    embeddings: EmbeddingNames | None = None,
    parse: Callable[[str], Sequence[Fragment]] = parse_attention,
) -> PromptLine:
    """Cut a text into chunks; with the emphasis mode "None" its brackets are text like any other.

    `backtrack` is the largest distance of a comma at which a full chunk is cut; 0 never looks back. `parse` reads the
    emphasis.
    """
    chunker = _Chunker(tokenizer, backtrack)
    fragments = [Fragment(text, 1.0)] if emphasis == _NO_EMPHASIS else parse(text)
    for fragment in fragments:
        if fragment.is_break:
            chunker.close()
        else:
            _add_fragment(chunker, tokenizer.encode(fragment.text), fragment.weight, embeddings)
    if chunker.tokens or not chunker.chunks:
        chunker.close(is_last=True)
    return PromptLine(tuple(chunker.chunks), chunker.token_count)


def _add_fragment(chunker: _Chunker, tokens: list[int], weight: float, embeddings: EmbeddingNames | None) -> None:
    position = 0
    while position < len(tokens):
        found = embeddings.find(tokens, position) if embeddings else None
        if found is None:
            chunker.add(tokens[position], weight)
            position += 1
        else:
            name, vectors, length = found
            chunker.place(name, vectors, tokens[position], weight)
            position += length
