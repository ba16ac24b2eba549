"""Direct messages that are begun before their jobs are queued, and removed where no job follows, after a kill too."""

from collections.abc import Callable
from datetime import datetime, timedelta

import discord
import structlog

from pastelbot.bot.responses import UNSENT
from pastelbot.records import ReplyTarget
from pastelbot.store.jobs.begun_messages import BegunMessage, BegunMessageStore

_MARK = "⏳"  # how the text of a begun message starts, in every language
_LOOKED_AT = 50
_LIFETIME = timedelta(minutes=15)  # Discord's for what an interaction may still lead to
_REFUSED = 400
_SERVER_ERROR = 500

log = structlog.get_logger(__name__)


class BegunMessages:
    """Begins messages, withdraws them, and finds those that were left."""

    def __init__(self, client: discord.Client, store: BegunMessageStore, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._started_at = clock()

    async def begin(self, user: discord.User | discord.Member, text: str, *, interaction_id: int) -> ReplyTarget:
        """Send a user a message that is to become a job's; what Discord raises reaches the caller."""
        channel = await user.create_dm()
        number = await self._store.begin(channel.id, interaction_id, now=self._clock())
        try:
            message = await channel.send(text, silent=True)
        except discord.HTTPException as error:
            if _REFUSED <= error.status < _SERVER_ERROR:
                await self._store.drop(number)
            raise
        await self._store.sent(number, message.id)
        return ReplyTarget(channel_id=channel.id, message_id=message.id)

    async def withdraw(self, target: ReplyTarget) -> None:
        """Delete a message whose job was not queued; where Discord does not take that now, `clean_up` will."""
        if target.message_id is None:
            return
        channel = self._client.get_partial_messageable(target.channel_id)
        try:
            await channel.get_partial_message(target.message_id).delete()
        except discord.NotFound:
            pass
        except UNSENT as error:
            log.warning("a begun message was not withdrawn", message=target.message_id, error=str(error))
            return
        await self._store.withdrawn(target.message_id)

    async def clean_up(self) -> None:
        """Delete the messages that an earlier process, or a request long ago, has begun and left."""
        for begun in await self._store.before(max(self._started_at, self._clock() - _LIFETIME)):
            try:
                await self._remove(begun)
            except (discord.NotFound, discord.Forbidden):
                pass  # it is gone, or the channel is
            except UNSENT as error:
                log.warning("a begun message was not deleted", channel=begun.channel_id, error=str(error))
                continue
            await self._store.drop(begun.id)

    async def _remove(self, begun: BegunMessage) -> None:
        channel = self._client.get_partial_messageable(begun.channel_id)
        if begun.message_id is not None:
            await channel.get_partial_message(begun.message_id).delete()
            return
        after = discord.Object(begun.interaction_id)
        async for message in channel.history(limit=_LOOKED_AT, after=after, oldest_first=True):
            if message.author == self._client.user and message.content.startswith(_MARK) and not message.components:
                await message.delete()
                return
