"""Queueing of checked requests: in the channel, privately, or after a confirmation."""

from dataclasses import replace

from pastelbot.bot.checks import reply_target
from pastelbot.bot.components import confirmation, direct_messages
from pastelbot.bot.components.tag_suggestions import suggest_tags
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import language_of
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.records import Job, JobOptions
from pastelbot.service.requests.checking import Checked


async def submit(interaction: Interaction, checked: Checked) -> None:
    """Queue one checked request, and answer with its message; a private one goes to its author alone."""
    private, services = checked.options.private, interaction.client.services
    checked = checked.shown(locale=language_of(interaction, public=not private))
    if private and interaction.guild_id is not None:
        await _submit_privately(interaction, checked)
        return
    target = replace(reply_target(interaction), guild_id=checked.actor.guild_id)
    (queued,) = await services.jobs.submit(checked, [target])
    await interaction.client.messages.announce(interaction, queued)
    if notes := await services.models.notes(checked.requests[0]):
        await respond_ephemeral(interaction, "\n".join(notes))


async def _submit_privately(interaction: Interaction, checked: Checked) -> None:
    services = interaction.client.services
    await interaction.response.defer(ephemeral=True, thinking=True)
    checked = await services.checker.for_direct_message(checked)  # refused before a message is begun
    target = await direct_messages.begin_message(interaction, checked.actor)
    checked = checked.shown(locale=checked.options.locale, home_channel_id=checked.actor.channel_id)
    try:
        (queued,) = await services.jobs.submit(checked, [target])
    except BaseException:
        await direct_messages.withdraw_message(interaction, target)
        raise
    await interaction.client.messages.introduce(queued)
    await respond_ephemeral(interaction, f"🔒 Your picture comes to you alone: {direct_messages.link(target)}")


async def paint(interaction: Interaction, checked: Checked) -> None:
    """Queue what was built; several jobs only after a question."""
    if len(checked.requests) == 1:
        await submit(interaction, checked)
    else:
        await confirmation.ask(interaction, checked)
    await suggest_tags(interaction, checked.requests[0].prompt)


def children(job: Job) -> JobOptions:
    """Return the options of a job that is made from another: hidden as that one is."""
    return replace(job.options, origin=job.id)
