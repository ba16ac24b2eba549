"""What the buttons do."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import discord

from pastelbot.bot.checks import is_moderator, reply_target
from pastelbot.bot.views.modals import EditModal, SeedModal
from pastelbot.records import GenerationRequest
from pastelbot.service import random_seed

if TYPE_CHECKING:
    from pastelbot.bot.client import PastelBot

Action = Callable[["discord.Interaction[PastelBot]", str], Awaitable[None]]


async def submit(interaction: "discord.Interaction[PastelBot]", request: GenerationRequest) -> None:
    """Queue a request for whoever clicked or typed, and answer with its message."""
    resources = interaction.client.resources
    queued = await resources.service.submit(interaction.user.id, request, reply_target(interaction))
    await resources.delivery.announce(interaction, queued)


async def reroll(interaction: "discord.Interaction[PastelBot]", job_id: str) -> None:
    """Paint the same with a new seed."""
    job = await interaction.client.resources.service.job(job_id)
    await submit(interaction, job.request.replace(seed=random_seed()))


async def ask_seed(interaction: "discord.Interaction[PastelBot]", job_id: str) -> None:
    """Ask for a seed."""
    job = await interaction.client.resources.service.job(job_id)
    await interaction.response.send_modal(SeedModal(job.request, submit))


async def ask_edit(interaction: "discord.Interaction[PastelBot]", job_id: str) -> None:
    """Ask for another prompt."""
    job = await interaction.client.resources.service.job(job_id)
    await interaction.response.send_modal(EditModal(job.request, submit))


async def cancel(interaction: "discord.Interaction[PastelBot]", job_id: str) -> None:
    """End a job that is not finished; its message then says so."""
    service = interaction.client.resources.service
    await service.cancel(job_id, interaction.user.id, is_moderator=is_moderator(interaction))
    await interaction.response.defer()


async def delete(interaction: "discord.Interaction[PastelBot]", job_id: str) -> None:
    """Remove the pictures and the message."""
    resources = interaction.client.resources
    await resources.service.delete(job_id, interaction.user.id, is_moderator=is_moderator(interaction))
    resources.delivery.forget(job_id)
    await interaction.response.defer()
    await interaction.delete_original_response()


ACTIONS: Mapping[str, Action] = {
    "reroll": reroll,
    "seed": ask_seed,
    "edit": ask_edit,
    "cancel": cancel,
    "delete": delete,
}
