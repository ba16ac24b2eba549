"""From checked requests to queued jobs: in the channel, to the asker alone, or after a question."""

from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from pastelbot.bot.checks import actor_of, reply_target
from pastelbot.bot.components import confirmation, direct_messages
from pastelbot.bot.components.tag_suggestions import suggest_tags
from pastelbot.bot.localisation import language_of
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.records import Actor, GenerationRequest, Job, JobOptions
from pastelbot.service.requests.building import BuiltRequests

if TYPE_CHECKING:
    from pastelbot.bot.client import PastelBot


async def submit(
    interaction: "discord.Interaction[PastelBot]",
    request: GenerationRequest,
    options: JobOptions | None = None,
    *,
    actor: Actor | None = None,
) -> None:
    """Queue a request for whoever clicked or typed, and answer with its message; a private one goes to them alone."""
    actor, options = actor or actor_of(interaction), options or JobOptions()
    options = replace(options, locale=language_of(interaction, public=not options.private))
    if options.private and interaction.guild_id is not None:
        await _submit_privately(interaction, request, options, actor)
        return
    resources = interaction.client.resources
    target = replace(reply_target(interaction), guild_id=actor.guild_id)
    await resources.delivery.announce(interaction, await resources.service.submit(actor, request, target, options))
    if notes := resources.service.models.notes(request):
        await respond_ephemeral(interaction, "\n".join(notes))


async def _submit_privately(
    interaction: "discord.Interaction[PastelBot]", request: GenerationRequest, options: JobOptions, actor: Actor
) -> None:
    resources = interaction.client.resources
    actor = resources.access.in_messages(actor)
    await interaction.response.defer(ephemeral=True, thinking=True)
    await resources.service.check(actor, request)
    target = await direct_messages.begin_message(interaction, actor)
    options = replace(options, home_channel_id=actor.channel_id)
    try:
        queued = await resources.service.submit(actor, request, target, options)
    except BaseException:
        await direct_messages.withdraw_message(interaction, target)
        raise
    await resources.delivery.introduce(queued)
    await respond_ephemeral(interaction, f"🔒 Your picture comes to you alone: {direct_messages.link(target)}")


async def paint(
    interaction: "discord.Interaction[PastelBot]", built: BuiltRequests, *, actor: Actor | None = None
) -> None:
    """Queue what was composed; several jobs only after a question."""
    if len(built.requests) == 1:
        await submit(interaction, built.requests[0], built.options, actor=actor)
    else:
        await confirmation.ask(interaction, actor or actor_of(interaction), built)
    await suggest_tags(interaction, built.requests[0].prompt)


def children(job: Job) -> JobOptions:
    """Return the options of a job that is made from another: hidden as that one is."""
    return replace(job.options, origin=job.id)
