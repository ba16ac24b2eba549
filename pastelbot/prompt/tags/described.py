"""From what the tagger saw in a picture to a prompt."""

from pastelbot.prompt.tags.names import written
from pastelbot.records import Description

_LONGEST = 1200  # characters: what an answer on Discord has room for


def prompt_of(description: Description, *, longest: int = _LONGEST) -> str:
    """Return the characters and the tags as a prompt, the surest first; what is too much is left out at its end."""
    names = [written(tag.name) for tag in (*description.characters, *description.tags)]
    while len(", ".join(names)) > longest:
        names.pop()
    return ", ".join(names)
