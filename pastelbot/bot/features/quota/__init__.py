"""`/quota`."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.quota.cog import QuotaCog


async def setup(bot: PastelClient) -> None:
    """Add the command."""
    await bot.add_cog(QuotaCog(bot.services.quotas))
