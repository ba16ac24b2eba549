"""`/settings`: defaults of users, channels and servers."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.settings.cog import settings_commands


async def setup(bot: PastelClient) -> None:
    """Add the commands."""
    services = bot.services
    bot.tree.add_command(settings_commands(services.settings, services.builder, services.preferences))
