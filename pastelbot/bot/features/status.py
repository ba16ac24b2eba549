"""`/queue`: the state of the queue, as a private answer."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot import render
from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.service.requests.submission import JobService


class InfoCog(commands.Cog):
    """Commands that only tell."""

    def __init__(self, service: JobService) -> None:
        self._service = service

    @app_commands.command(name="queue")
    @answers_errors
    async def queue(self, interaction: Interaction) -> None:
        """Show who is being painted for, and who is queued."""
        overview = await self._service.overview()
        await respond_ephemeral(interaction, render.queue_text(overview, actor_of(interaction)))


async def setup(bot: PastelClient) -> None:
    """Add the commands that only answer."""
    await bot.add_cog(InfoCog(bot.services.jobs))
