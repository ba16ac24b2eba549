"""Search for the bot's own messages by their buttons: what a kill or a lost answer kept from being recorded.

Discord takes the same nonce once, but only for a few minutes; buttons stay.
"""

from collections.abc import Callable, Iterator
from typing import Any

import discord
import structlog

_PAGE = 100  # the most that Discord gives at once

log = structlog.get_logger(__name__)


async def find_own(
    channel: discord.PartialMessageable, bot_id: int, is_sought: Callable[[str], bool], *, after: int | None
) -> list[discord.Message]:
    """Return the bot's messages that have a button whose custom id is sought, the oldest first.

    Looked at are the first hundred messages after that number (None: none) and the newest hundred. Nothing is
    found in a channel that the bot may not read, or that is gone.
    """
    found: dict[int, discord.Message] = {}
    try:
        for page in _pages(after):
            seen = 0
            async for message in channel.history(limit=_PAGE, **page):
                seen += 1
                if message.author.id == bot_id and any(map(is_sought, custom_ids(message))):
                    found[message.id] = message
            if seen < _PAGE:  # that was the whole channel, or all since then
                break
    except (discord.Forbidden, discord.NotFound):
        log.info("a channel's messages cannot be read", channel=channel.id)
    return [found[message_id] for message_id in sorted(found)]


def _pages(after: int | None) -> Iterator[dict[str, Any]]:
    if after is not None:
        yield {"after": discord.Object(after), "oldest_first": True}
    yield {}


def custom_ids(message: discord.Message) -> Iterator[str]:
    """Yield the custom ids of a message's buttons."""
    for row in message.components:
        for child in getattr(row, "children", ()):
            if isinstance(child, discord.Button) and child.custom_id is not None:
                yield child.custom_id
