"""Token count of a prompt without the checkpoint: all of Stable Diffusion 1.x shares CLIP's vocabulary."""

import functools

from pastelbot.config import bundled_checkpoint
from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.tokenizer import ClipTokenizer
from pastelbot.prompt.tokens import token_count


def count_tokens(prompt: str, parser: PromptParser | None = None) -> int:
    """Return a prompt's tokens, those of the longest text that it becomes while it is painted.

    `parser` is that of the request.
    """
    return token_count(_tokenizer(), prompt, parser=parser)[0]


@functools.cache
def _tokenizer() -> ClipTokenizer:
    """Read the vocabulary when it is needed first; it never changes."""
    return ClipTokenizer.from_folder(bundled_checkpoint() / "tokenizer")
