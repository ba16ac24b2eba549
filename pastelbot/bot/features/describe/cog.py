"""`/describe` and "Apps > Describe": from a picture to the tags that would paint it."""

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import content_of, first_picture
from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.describe.views import described_text, described_view
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.formats import pictures
from pastelbot.service.tagging import Describing


class DescribeCog(commands.Cog):
    """Has pictures described."""

    def __init__(self, describing: Describing) -> None:
        self._describing = describing
        self.menu = app_commands.ContextMenu(name="Describe", callback=self.describe_message)

    @app_commands.command(name="describe")
    @app_commands.describe(picture="A PNG, JPEG or WebP file")
    @answers_errors
    async def describe(self, interaction: Interaction, picture: discord.Attachment) -> None:
        """Say which tags a picture shows, ready for /imagine."""
        await self._answer(interaction, picture)

    @answers_errors
    async def describe_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Describe the first picture of a message."""
        await self._answer(interaction, first_picture(message))

    async def _answer(self, interaction: Interaction, picture: discord.Attachment) -> None:
        actor = actor_of(interaction)
        await self._describing.check(actor)
        await interaction.response.defer(ephemeral=True, thinking=True)
        content = await content_of(picture, cap=pictures.MAX_FILE)
        description = await self._describing.describe(actor, content)
        await respond_ephemeral(interaction, described_text(description), view=described_view(description))
