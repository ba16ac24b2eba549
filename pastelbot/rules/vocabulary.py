"""CLIP's vocabulary without a checkpoint: all of Stable Diffusion 1.x shares it."""

import functools

from pastelbot.config import bundled_checkpoint
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer

_SHORTEST = 3  # letters


@functools.cache
def tokenizer() -> ClipTokenizer:
    """Read the vocabulary when it is needed first; it never changes."""
    return ClipTokenizer.from_folder(bundled_checkpoint() / "tokenizer")


def split_as_tokens(words: list[str], *, but: frozenset[str]) -> list[str]:
    """Return words as the text encoder reads them: "xnude" as "x-" and "nude", which is a token of its own there.

    A word is split only before its last token, which alone is the same as that of a whole word, and only where it has
    three letters or more. Words of `but` stay as they are.
    """
    return [part for word in words for part in ((word,) if word in but else _split(word))]


def _split(word: str) -> tuple[str, ...]:
    if len(word) <= _SHORTEST or not (word.isascii() and word.isalpha()):
        return (word,)
    *before, last = tokenizer().pieces(word)
    return (f"{''.join(before)}-", last) if before and len(last) >= _SHORTEST else (word,)
