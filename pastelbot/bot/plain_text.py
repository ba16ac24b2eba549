"""Escaping of users' words, so that Discord shows them literally."""

import re

from discord.utils import escape_mentions

_BEFORE_SIGNS = re.compile(r"^[^\S\n]*+(?=[#>]|[-+][\s#])|(?=[\\*_~|`\[<]|://)", re.MULTILINE)


def plain(text: str) -> str:
    """Write a text so that nothing in it is markdown, a link, a time, an emoji or a mention.

    discord.py's own function takes all from the first `[` to the last `)` for one link and leaves it as it is, and
    addresses too.
    """
    return escape_mentions(_BEFORE_SIGNS.sub(r"\g<0>\\", text))


def plain_line(text: str) -> str:
    """Write a text on one line, as `plain` does."""
    return plain(" ".join(text.split()))
