"""Prompt from a tagger's description of a picture."""

from pastelbot.prompt.tags.names import written
from pastelbot.records import Description

_LONGEST = 1200  # characters, so that it fits an answer on Discord


def prompt_of(description: Description, *, longest: int = _LONGEST) -> str:
    """Return the characters and the tags as a prompt, most confident first, truncated at the length limit."""
    names = [written(tag.name) for tag in (*description.characters, *description.tags)]
    while len(", ".join(names)) > longest:
        names.pop()
    return ", ".join(names)
