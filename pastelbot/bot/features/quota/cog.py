"""`/quota`: the user's balance and its next renewal."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.quota.texts import quota_text
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.service.quotas import Quotas


class QuotaCog(commands.Cog):
    """The command that shows users how much they may paint."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    @app_commands.command(name="quota")
    @answers_errors
    async def quota(self, interaction: Interaction) -> None:
        """Show how much you may still paint, and when there is more."""
        await respond_ephemeral(interaction, quota_text(await self._quotas.state(actor_of(interaction))))
