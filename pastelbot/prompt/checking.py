"""Prompt validation before a request is queued."""

from pastelbot.errors import PromptError
from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.parsing import PromptParser


def check(
    prompt: str,
    *,
    negative: bool = False,
    steps: int = 20,
    hires_steps: int | None = None,
    parser: PromptParser | None = None,
) -> None:
    """Raise PromptError if painting this prompt would, with the position where it is known.

    A `negative` prompt knows neither `AND` nor extra networks. `parser` is that of the request.
    """
    parser = parser or PromptParser()
    parts = [prompt] if negative else [part.text for part in split_and(parser.networks(prompt).prompt)]
    for part in parts:
        for text in {entry.text for entry in parser.both_passes(part, steps, hires_steps)}:
            _check_attention(prompt, text, parser)


def _check_attention(prompt: str, text: str, parser: PromptParser) -> None:
    try:
        parser.attention(text)
    except PromptError as error:
        raise _at_its_place(prompt, error) from None


def _at_its_place(prompt: str, error: PromptError) -> PromptError:
    """Return the error with its position in the whole prompt, of which only a part was read."""
    try:
        parse_attention(prompt)
    except PromptError as same:
        return same
    return PromptError(str(error))
