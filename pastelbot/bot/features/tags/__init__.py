"""`/tags`: search the vocabulary."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.tags.cog import TagsCog
from pastelbot.bot.features.tags.views import TagPageButton, UseTagButton


async def setup(bot: PastelClient) -> None:
    """Add the command and its buttons."""
    await bot.add_cog(TagsCog(bot.services.tags))
    bot.add_dynamic_items(TagPageButton, UseTagButton)
