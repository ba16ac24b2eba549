"""Gallery posts in channels: one per shared picture, the weekly best, and their deletion."""

import asyncio
import io
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import discord
import structlog
from discord import ui
from PIL import Image

from pastelbot.bot.components import gallery_texts
from pastelbot.bot.components.gallery_views import add_entry, names_of, picture_files, picture_name
from pastelbot.bot.localisation import language_of_guild, translated
from pastelbot.bot.responses import UNSENT
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.jobs.background import Periodic
from pastelbot.service.gallery import Gallery, Shown
from pastelbot.store.gallery import GalleryEntry
from pastelbot.store.key_values import KeyValueStore
from pastelbot.store.picture_files import read_picture

_THUMBNAIL = 768  # pixels of the longer side, on pages
_POST = 1280
_BEST = 3
_AT_ONCE = 50

log = structlog.get_logger(__name__)


class GalleryPosts:
    """Writes and deletes the gallery's messages."""

    def __init__(
        self,
        client: discord.Client,
        gallery: Gallery,
        key_values: KeyValueStore,
        languages: Languages,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._gallery = gallery
        self._key_values = key_values
        self._languages = languages
        self._clock = clock
        self._erasing = Periodic(self._erase, seconds=3600)

    def start(self) -> None:
        """Delete now and then what could not be deleted before."""
        self._erasing.start(first=5.0)

    def wake(self) -> None:
        """Delete in Discord what was taken out of the gallery."""
        self._erasing.wake()

    async def close(self) -> None:
        """Return when the message in hand is deleted."""
        await self._erasing.close()

    async def thumbnails(self, shown: Sequence[Shown], *, side: int = _THUMBNAIL) -> list[discord.File]:
        """Return small copies of the pictures whose files are there and whole."""
        return picture_files(shown, await asyncio.to_thread(_small, [each.path for each in shown], side))

    async def post(self, entry: GalleryEntry) -> str:
        """Show a shared picture in the gallery's channel, where there is one; return what to tell its author."""
        channel_id = await self._gallery.channel(entry.guild_id)
        if channel_id is None:
            return "Shared: /gallery shows it."
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel):
            return "Shared: /gallery shows it. The gallery's channel is gone; tell a moderator."
        if entry.adult and not channel.is_nsfw():
            return f"Shared: /gallery shows it in age-restricted channels. {channel.mention} is not one."
        try:
            await self._post(entry, channel)
        except UNSENT as error:
            log.warning("a shared picture was not posted", entry=entry.id, error=str(error))
            return f"Shared: /gallery shows it. The bot could not post it in {channel.mention}; tell a moderator."
        return f"Shared: it is in {channel.mention}, and /gallery shows it."

    async def keep_track(self, shown: Sequence[Shown], guild_id: int, channel_id: int, message_id: int) -> None:
        """Have a message for everybody deleted as soon as one of the pictures on it is taken out."""
        await self._gallery.set_copies(shown, guild_id, channel_id, message_id)
        self.wake()  # it may have been taken out meanwhile

    async def refresh(self, shown: Shown) -> None:
        """Show an entry's votes in its post, as far as Discord lets it be edited."""
        entry = shown.entry
        if entry.channel_id is None or entry.message_id is None:
            return
        channel = self._client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
        layout = self._post_view(shown, {picture_name(shown)})
        try:
            none = discord.AllowedMentions.none()  # the client's default is not for edits without a content
            await channel.get_partial_message(entry.message_id).edit(view=layout, allowed_mentions=none)
        except UNSENT as error:
            log.debug("a post's votes were not shown", entry=entry.id, error=str(error))

    async def best_of(self) -> None:
        """Post the best of last week in every server that wants it and does not have it yet."""
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        until = today - timedelta(days=today.weekday())
        since = until - timedelta(days=7)
        week = since.date().isoformat()
        for guild_id, channel_id in (await self._gallery.best_of_channels()).items():
            name = f"best_of:{guild_id}"
            channel = self._client.get_channel(channel_id)
            if await self._key_values.get(name) == week or not isinstance(
                channel, discord.TextChannel | discord.Thread
            ):
                continue
            try:
                await self._post_best(guild_id, channel, since, until)
            except UNSENT as error:
                log.warning("the best of the week was not posted", guild=guild_id, error=str(error))
            else:
                await self._key_values.set(name, week)

    async def _post_best(
        self, guild_id: int, channel: discord.TextChannel | discord.Thread, since: datetime, until: datetime
    ) -> None:
        """Post the week's best; the nonce keeps Discord from taking it twice where it could not be noted."""
        best = await self._gallery.best(guild_id, since=since, until=until, adult=channel.is_nsfw(), limit=_BEST)
        if not best:
            return
        files = await self.thumbnails(best, side=_POST)
        layout = ui.LayoutView(timeout=None)
        layout.add_item(ui.TextDisplay(gallery_texts.best_of_text(since, until)))
        for shown in best:
            add_entry(layout, shown, names_of(files), unshare=False)
        layout = translated(layout, self._saying(guild_id))
        message = await channel.send(view=layout, files=files, nonce=f"best:{since:%Y%m%d}")
        await self.keep_track(best, guild_id, message.channel.id, message.id)

    async def _post(self, entry: GalleryEntry, channel: discord.abc.Messageable) -> None:
        (shown,) = await self._gallery.show([entry])
        files = await self.thumbnails([shown], side=_POST)
        layout = self._post_view(shown, names_of(files))
        message = await channel.send(view=layout, files=files, nonce=f"share:{entry.id}")
        if not await self._gallery.set_post(entry.id, message.channel.id, message.id):
            await message.delete()  # it was taken out meanwhile

    def _post_view(self, shown: Shown, files: Collection[str]) -> ui.LayoutView:
        layout = ui.LayoutView(timeout=None)
        add_entry(layout, shown, files, unshare=True)
        return translated(layout, self._saying(shown.entry.guild_id))

    def _saying(self, guild_id: int) -> Translate:
        """Return what puts texts into a server's language."""
        return self._languages.translator(language_of_guild(self._client, guild_id))

    async def _erase(self) -> None:
        """Delete messages until none is left that can be deleted now."""
        tried: set[int] = set()
        while waiting := [each for each in await self._gallery.erasures(_AT_ONCE) if each.message_id not in tried]:
            for each in waiting:
                tried.add(each.message_id)
                channel = self._client.get_partial_messageable(each.channel_id, guild_id=each.guild_id)
                try:
                    await channel.get_partial_message(each.message_id).delete()
                except (discord.NotFound, discord.Forbidden):
                    pass  # it is gone, or the bot is
                except UNSENT as error:
                    log.warning("a message was not deleted", message=each.message_id, error=str(error))
                    continue
                await self._gallery.erased(each.message_id)


def _small(paths: Sequence[Path], side: int) -> list[bytes | None]:
    contents: list[bytes | None] = []
    for path in paths:
        try:
            with Image.open(io.BytesIO(read_picture(path))) as image:
                copy = image.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            log.warning("a picture's file cannot be read", file=path.name, error=str(error))
            contents.append(None)
            continue
        copy.thumbnail((side, side), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        copy.save(file, "WEBP", quality=88)
        contents.append(file.getvalue())
    return contents
