"""`/describe`: tags from a picture."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.describe.cog import DescribeCog
from pastelbot.bot.features.describe.views import PaintTagsButton


async def setup(bot: PastelClient) -> None:
    """Add `/describe`, its menu and its button."""
    cog = DescribeCog(bot.services.tagging)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
    bot.add_dynamic_items(PaintTagsButton)
