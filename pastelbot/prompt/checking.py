"""Prompt validation before a request is queued."""

import re

from pastelbot.errors import PromptError
from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.parsing import PromptParser

# What only separates, groups or weights words: ":3" alone is a tag, "(:3)" a weight.
_SEPARATORS = re.compile(r"\b(?:AND|BREAK)\b|(?<!:):++[ \d.]++(?=[)\]])|[\s,、，()\[\]{}|]+")


def check_not_blank(prompt: str) -> None:
    """Raise PromptError where a prompt says nothing; LoRA tags say something, as they change what is painted."""
    if not prompt.strip():
        raise PromptError("The prompt is empty: write what to paint, for example `1girl, red hair, smile`.")
    if not _SEPARATORS.sub("", prompt):
        raise PromptError(
            "The prompt has nothing but commas, brackets and the like: write what to paint, for example "
            "`1girl, red hair, smile`."
        )


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
