"""`/gallery`, "Apps > Who made this", and what happens when messages are deleted."""

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot import render
from pastelbot.bot.checks import actor_of
from pastelbot.bot.components import gallery_texts
from pastelbot.bot.components.gallery_views import SEARCHED, EntryButton, PageButton, names_of, page_view
from pastelbot.bot.context import GalleryMessages, Interaction, PastelClient
from pastelbot.bot.localisation import translated, translator
from pastelbot.bot.messages.deletions import Deletions
from pastelbot.bot.messages.missed_deletions import MissedDeletions
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.prompt.tags.names import tag_key
from pastelbot.service.gallery import Gallery
from pastelbot.store.gallery import View

_VIEWS = {"newest": View.NEWEST, "top week": View.WEEK, "top all": View.TOP, "mine": View.MINE}


class GalleryCog(commands.Cog):
    """Shared pictures, and who made what."""

    def __init__(self, gallery: Gallery, posts: GalleryMessages, deletions: Deletions, missed: MissedDeletions) -> None:
        self._gallery = gallery
        self._posts = posts
        self._deletions = deletions
        self._missed = missed
        self.menu = app_commands.ContextMenu(
            name="Who made this",
            callback=self.who_made,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    @app_commands.command(name="gallery")
    @app_commands.describe(
        view="What to look at first",
        tag="Only pictures with this tag in their prompt",
        text="Only pictures with these words in their prompt",
        public="Show the page to everybody here",
    )
    @app_commands.choices(view=[app_commands.Choice(name=name, value=view.value) for name, view in _VIEWS.items()])
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @answers_errors
    async def gallery(
        self,
        interaction: Interaction,
        view: str = View.NEWEST.value,
        tag: app_commands.Range[str, 1, SEARCHED] = "",
        text: app_commands.Range[str, 1, SEARCHED] = "",
        *,
        public: bool = False,
    ) -> None:
        """Look through the pictures that people here have shared."""
        chosen, tag = View(view), tag_key(tag)
        page = await self._gallery.page(actor_of(interaction), chosen, 0, tag=tag, text=text)
        await interaction.response.defer(ephemeral=not public, thinking=True)
        files = await self._posts.thumbnails(page.shown)
        layout = translated(page_view(page, chosen, tag, text, names_of(files)), translator(interaction, public=public))
        message = await interaction.edit_original_response(view=layout, attachments=files)
        if public and interaction.guild_id is not None:
            await self._posts.keep_track(page.shown, interaction.guild_id, message.channel.id, message.id)

    @gallery.autocomplete("tag")
    async def complete_tag(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the tags of this server's gallery."""
        if interaction.guild_id is None:
            return []
        found = await self._gallery.complete_tag(actor_of(interaction), current)
        return [app_commands.Choice(name=tag, value=tag) for tag in found if len(tag) <= SEARCHED]

    @answers_errors
    async def who_made(self, interaction: Interaction, message: discord.Message) -> None:
        """Tell privately who asked for the picture of a message, and how it was made."""
        making = await self._gallery.who_made(actor_of(interaction), message.id)
        usual = render.usual_of(interaction.client.services)
        await respond_ephemeral(interaction, gallery_texts.provenance_text(making, usual))

    async def cog_unload(self) -> None:
        """Finish deleting: Discord tells of a deletion only once."""
        await self._missed.close()
        await self._deletions.close()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look for what was deleted while the bot was not connected; a session that is resumed has missed nothing."""
        self._missed.start()

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Delete the pictures of a message that was deleted."""
        self._deletions.messages([payload.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Delete the pictures of messages that were deleted."""
        self._deletions.messages(sorted(payload.message_ids))

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Delete the pictures of a channel that was deleted."""
        self._deletions.channel(channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Delete the pictures of a thread that was deleted."""
        self._deletions.channel(payload.thread_id)


async def setup(bot: PastelClient) -> None:
    """Add `/gallery`, its menu and its buttons."""
    services = bot.services
    deletions = Deletions(services.gallery, services.reviews, bot.posts)
    missed = MissedDeletions(bot, services.jobs, services.key_values, deletions)
    cog = GalleryCog(services.gallery, bot.posts, deletions, missed)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
    bot.add_dynamic_items(EntryButton, PageButton)
