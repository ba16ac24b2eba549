"""`/mydata export` and `/mydata forget`."""

import io

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import FILE_BYTES
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.personal_data.views import QUESTION, question_view
from pastelbot.bot.localisation import localised
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.service.personal_data.personal_data import Export, PersonalData

_MARGIN = 2**16  # bytes that a request has besides the file


class PersonalDataCog(commands.Cog):
    """Commands for the user's own data."""

    mydata = app_commands.Group(name="mydata", description="Get what the bot keeps about you, or delete it.")

    def __init__(self, mydata: PersonalData) -> None:
        self._mydata = mydata

    @mydata.command(name="export")
    @app_commands.describe(part="Which part, where it is too much for one answer")
    @answers_errors
    async def export(self, interaction: Interaction, part: app_commands.Range[int, 1, 9999] = 1) -> None:
        """Send you, privately, all that the bot keeps about you."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        limit = min(interaction.filesize_limit, FILE_BYTES) - _MARGIN
        export = await self._mydata.export(interaction.user.id, part=part, limit=limit)
        text = localised(interaction, _told(export))
        for number, content in enumerate(export.archives, start=1):
            name = f"pastelbot-{interaction.user.id}-{export.part}-{number}.zip"
            file = discord.File(io.BytesIO(content), filename=name)
            await interaction.followup.send(text if number == 1 else "", file=file, ephemeral=True)

    @mydata.command(name="forget")
    @answers_errors
    async def forget(self, interaction: Interaction) -> None:
        """Delete your pictures, prompts, votes, presets and settings; asks first."""
        await respond_ephemeral(interaction, QUESTION, view=question_view(interaction.user.id))


def _told(export: Export) -> str:
    lines = [f"Here is what the bot keeps about you: part {export.part} of {export.parts}."]
    if export.part < export.parts:
        lines.append(f"`/mydata export part:{export.part + 1}` brings the next part.")
    if export.expired:
        lines.append(
            f"{export.expired} of your {export.pictures} pictures are no longer kept; their infotexts are here."
        )
    if export.too_large:
        lines.append(f"{export.too_large} files are larger than Discord takes: ask the bot's operator for them.")
    return "\n".join(lines)
