"""`/help` and `/about`."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.help.cog import HelpCog


async def setup(bot: PastelClient) -> None:
    """Add the commands."""
    await bot.add_cog(HelpCog(bot.services.settings, bot.services.jobs))
