"""Token count of a prompt without the checkpoint: all of Stable Diffusion 1.x shares CLIP's vocabulary."""

from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.tokenization.tokens import token_count
from pastelbot.rules.vocabulary import tokenizer


def count_tokens(prompt: str, parser: PromptParser | None = None) -> int:
    """Return a prompt's tokens, those of the longest text that it becomes while it is painted.

    `parser` is that of the request.
    """
    return token_count(tokenizer(), prompt, parser=parser)[0]
