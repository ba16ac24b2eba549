"""Deletions in Discord, followed by the bot: pictures, entries of the gallery, questions to moderators.

Discord's events are only noted here and dealt with one after the other, because nothing may be at the database while
it is closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pastelbot.bot.context import GalleryMessages
from pastelbot.jobs.background import Mailbox
from pastelbot.service.gallery import Gallery
from pastelbot.service.reviews import Reviews


@dataclass(frozen=True, kw_only=True)
class _Gone:
    message_id: int | None = None
    channel_id: int | None = None


class Deletions:
    """Hears what was deleted."""

    def __init__(self, gallery: Gallery, reviews: Reviews, posts: GalleryMessages) -> None:
        self._gallery = gallery
        self._reviews = reviews
        self._posts = posts
        self._mailbox: Mailbox[_Gone] = Mailbox(self._forget)

    def messages(self, message_ids: Iterable[int]) -> None:
        """Delete what these messages showed."""
        for message_id in message_ids:
            self._mailbox.put(_Gone(message_id=message_id))

    def channel(self, channel_id: int) -> None:
        """Delete what a channel or thread showed."""
        self._mailbox.put(_Gone(channel_id=channel_id))

    async def close(self) -> None:
        """Stop listening, and return when all reported deletions are done: Discord does not repeat them."""
        await self._mailbox.finish()

    async def _forget(self, gone: _Gone) -> None:
        if gone.message_id is not None:
            await self._gallery.message_deleted(gone.message_id)
        if gone.channel_id is not None:
            await self._gallery.channel_deleted(gone.channel_id)
        await self._reviews.question_deleted(message_id=gone.message_id, channel_id=gone.channel_id)
        self._posts.wake()
