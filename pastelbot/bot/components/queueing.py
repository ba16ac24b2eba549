"""Queueing of checked requests: in the channel, privately, or after a confirmation."""

from dataclasses import replace

from pastelbot.bot.checks import actor_of, is_shared
from pastelbot.bot.components import confirmation, direct_messages
from pastelbot.bot.components.modals import WITH_THIS_PROMPT, EditModal
from pastelbot.bot.components.submitting import submit_jobs
from pastelbot.bot.components.tag_suggestions import certain_suggestions, suggest_tags
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import language_of
from pastelbot.bot.responses import answers_question, close_question, defer, open_modal, respond_ephemeral
from pastelbot.options import GenerationOptions
from pastelbot.records import Job, JobOptions, ReplyTarget
from pastelbot.service.requests.checking import Checked
from pastelbot.service.requests.plans import needs_answer


async def submit(interaction: Interaction, checked: Checked) -> Job:
    """Queue one checked request, and answer with its message; a private one goes to its author alone.

    A question of the bot's that is answered by it is closed.
    """
    private = checked.options.private
    checked = checked.shown(locale=language_of(interaction, public=not private))
    apart = private and is_shared(interaction)
    if apart:
        checked, target = await _begin_privately(interaction, checked)
    else:
        target = await direct_messages.reply_target_for(interaction, checked.actor)
    closing = answers_question(interaction)
    if closing:
        await defer(interaction, thinking=False)
    (queued,) = await submit_jobs(interaction, checked, [target])
    if closing:
        await close_question(interaction)
    if apart:
        await interaction.client.messages.introduce(queued)
        await respond_ephemeral(interaction, f"🔒 Your picture comes to you alone: {direct_messages.link(queued.job)}")
        return queued.job
    if closing:
        await interaction.client.messages.introduce(queued, interaction)
    else:
        await interaction.client.messages.announce(interaction, queued)
    if notes := await interaction.client.services.models.notes(checked.requests[0]):
        await respond_ephemeral(interaction, "\n".join(notes))
    return queued.job


async def _begin_privately(interaction: Interaction, checked: Checked) -> tuple[Checked, ReplyTarget]:
    """Begin the direct message of a private request; return the request as it is shown there, and the message."""
    await defer(interaction)
    checked = await interaction.client.services.checker.for_direct_message(checked)  # refused before that is begun
    target = await direct_messages.begin_message(interaction, checked.actor)
    return checked.shown(locale=checked.options.locale, home_channel_id=checked.actor.channel_id), target


async def paint(interaction: Interaction, checked: Checked, *, suggesting: bool = True) -> None:
    """Queue what was built, and suggest known tags for mistyped ones.

    Several jobs and far too large pictures are queued only after a question, and so is what is certainly mistyped where
    the operator wants that.
    """
    settings, prompt = interaction.client.services.settings, checked.requests[0].prompt
    job = None
    if needs_answer(checked, settings):
        await confirmation.ask(interaction, checked)
    elif suggesting and settings.tags.ask and (mistyped := await certain_suggestions(interaction, prompt)):
        await confirmation.ask(interaction, checked, mistyped)
        return
    else:
        job = await submit(interaction, checked)
    if suggesting:
        await suggest_tags(interaction, prompt, job)


async def open_prompt_form(interaction: Interaction, prompt: str) -> None:
    """Open the usual form with a prompt that the bot has written, to change and paint it, or to copy it."""
    builder = interaction.client.services.builder
    built = await builder.build(actor_of(interaction), GenerationOptions(prompt=prompt))
    request = built.requests[0]

    async def paint_it(answer: Interaction, options: GenerationOptions) -> None:
        await paint(answer, await builder.change(actor_of(answer), request, options, built.options))

    await open_modal(interaction, EditModal(request, paint_it, title=WITH_THIS_PROMPT))


def children(job: Job, made_with: str = "") -> JobOptions:
    """Return the options of a job that is made from another, by this verb: hidden as that one is."""
    return replace(job.options, origin=job.id, made_with=made_with)
