"""`/mydata`: a user's own data, exported and deleted."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.personal_data.cog import PersonalDataCog
from pastelbot.bot.features.personal_data.views import ForgetButton


async def setup(bot: PastelClient) -> None:
    """Add `/mydata` and its buttons."""
    await bot.add_cog(PersonalDataCog(bot.services.personal_data))
    bot.add_dynamic_items(ForgetButton)
