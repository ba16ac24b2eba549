"""Describe a picture on this machine without Discord: the command line's `describe`."""

from collections.abc import Callable
from pathlib import Path

from pastelbot import app
from pastelbot.config import Settings
from pastelbot.errors import RequestError
from pastelbot.prompt.tags.described import prompt_of
from pastelbot.tagging.tagger import Tagger


def describe(path: Path, settings: Settings, *, on_progress: Callable[[str], None]) -> str:
    """Return a picture's tags as a prompt and, in a second line, its rating; raises PastelError.

    That the bot's tagger is switched off does not matter here.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    seen = Tagger.load(app.tagger_options(settings), on_progress).describe(content)
    return f"{prompt_of(seen)}\nrating: {seen.rating} ({seen.rating_score:.0%})"
