"""Parser of the prompts of one request: each text is parsed once, however many checks look at it."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from pastelbot.errors import LimitError
from pastelbot.prompt.attention import Fragment, parse_attention
from pastelbot.prompt.editing import EditedPrompt, ScheduledText
from pastelbot.prompt.extra_networks import extract_networks

_KEPT = 128  # texts: those of one prompt over all steps, as a rule
MOST_TEXT = 1_000_000  # characters


class PromptParser:
    """Parses prompts, and remembers what it has parsed: made for one request, and dropped with it.

    The texts that prompt editing makes of a prompt, one for each step, may be far longer than the prompt. Raises
    LimitError where `most_text` characters were parsed: no request takes longer to check than that.
    """

    def __init__(self, *, most_text: int = MOST_TEXT) -> None:
        self._editing = lru_cache(maxsize=_KEPT)(EditedPrompt)
        self.attention = lru_cache(maxsize=_KEPT)(_limited(parse_attention, most_text))
        self.networks = lru_cache(maxsize=_KEPT)(extract_networks)

    def schedule(self, text: str, steps: int, hires_steps: int | None = None) -> list[ScheduledText]:
        """Return the same as `prompt_schedule`."""
        return self._editing(text).schedule(steps, hires_steps)

    def both_passes(self, text: str, steps: int, hires_steps: int | None) -> list[ScheduledText]:
        """Return the texts of the first pass and then those of a hires pass."""
        return self.schedule(text, steps) + self.schedule(text, steps, hires_steps or steps)


def _limited(parse: Callable[[str], list[Fragment]], most: int) -> Callable[[str], Sequence[Fragment]]:
    """Return the function with a limit on the characters that it takes in all."""
    left = most

    def limited(text: str) -> Sequence[Fragment]:
        nonlocal left
        left -= len(text)
        if left < 0:
            raise LimitError(
                f"With all its steps the prompt has more than {most:,} characters: leave out some of its switches "
                "`[a:b:5]` and alternations `[a|b]`, or ask for fewer pictures at once."
            )
        return parse(text)

    return limited
