"""Token count of a prompt, as shown to the user."""

from pastelbot.errors import PromptError
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.tokenization.chunks import Tokenizer, chunk_text


def token_count(
    tokenizer: Tokenizer, prompt: str, *, steps: int = 20, parser: PromptParser | None = None
) -> tuple[int, int]:
    """Return a prompt's number of tokens and the limit to show behind it: 98 of 150.

    With prompt editing, the longest of the texts counts. A prompt with an error is counted as plain text. `parser` is
    that of the request, and raises LimitError where it has read too much.
    """
    parser = parser or PromptParser()
    text = parser.networks(prompt).prompt
    try:
        parts = [part.text for part in split_and(text)]
        texts = {entry.text for part in parts for entry in parser.schedule(part, steps)}
        lines = [chunk_text(tokenizer, each, parse=parser.attention) for each in texts]
    except PromptError:
        lines = [chunk_text(tokenizer, text, emphasis="None")]
    return max((line.token_count, line.limit) for line in lines)
