"""Buttons, forms and confirmations that several features share."""

from pastelbot.bot.components.confirmation import PlanButton
from pastelbot.bot.components.drafts import DraftButton
from pastelbot.bot.components.job_buttons import JobButton
from pastelbot.bot.context import PastelClient


async def setup(bot: PastelClient) -> None:
    """Add the buttons that belong to no single feature."""
    bot.add_dynamic_items(JobButton, PlanButton, DraftButton)
