"""Submission of an interaction's checked requests: the one place where what a person asks for becomes charged jobs."""

from collections.abc import Sequence

from pastelbot.bot.components import direct_messages
from pastelbot.bot.context import Interaction
from pastelbot.bot.responses import mark_queued
from pastelbot.records import ReplyTarget
from pastelbot.service.requests.checking import Checked
from pastelbot.service.requests.submission import Queued


async def submit_jobs(interaction: Interaction, checked: Checked, targets: Sequence[ReplyTarget]) -> list[Queued]:
    """Queue checked requests, a target for each, all or nothing, and once however often Discord delivers this.

    Messages that were begun for the jobs are withdrawn where those are not queued, or were before.
    """
    try:
        queued = await interaction.client.services.jobs.submit(checked, targets, interaction_id=interaction.id)
    except BaseException:
        await _withdraw(interaction, targets)
        raise
    mark_queued(interaction)
    if any(each.repeated for each in queued):
        await _withdraw(interaction, targets)
    return queued


async def _withdraw(interaction: Interaction, targets: Sequence[ReplyTarget]) -> None:
    for target in targets:
        if target.message_id is not None:
            await direct_messages.withdraw_message(interaction, target)
