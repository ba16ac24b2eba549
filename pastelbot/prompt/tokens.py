"""Token count of a prompt, as shown to the user."""

from pastelbot.errors import PromptError
from pastelbot.prompt.chunks import Tokenizer, chunk_text
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.editing import prompt_schedule
from pastelbot.prompt.extra_networks import extract_networks


def token_count(tokenizer: Tokenizer, prompt: str, *, steps: int = 20) -> tuple[int, int]:
    """Return a prompt's number of tokens and the limit to show behind it: 98 of 150.

    With prompt editing, the longest of the texts counts. This never raises: a prompt with an error is counted as plain
    text.
    """
    text = extract_networks(prompt).prompt
    try:
        parts = [part.text for part in split_and(text)]
        texts = {entry.text for part in parts for entry in prompt_schedule(part, steps)}
        lines = [chunk_text(tokenizer, each) for each in texts]
    except PromptError:
        lines = [chunk_text(tokenizer, text, emphasis="None")]
    return max((line.token_count, line.limit) for line in lines)
