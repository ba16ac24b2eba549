"""Reviews of withheld pictures: the buttons in the moderators' channel."""

from pastelbot.bot.components.review_buttons import ReviewButton
from pastelbot.bot.context import PastelClient


async def setup(bot: PastelClient) -> None:
    """Add the buttons."""
    bot.add_dynamic_items(ReviewButton)
