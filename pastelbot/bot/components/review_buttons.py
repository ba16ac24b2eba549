"""Approve and Reject: the persistent buttons under a withheld picture in the mod channel."""

import discord

from pastelbot.bot import render
from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.lasting_button import PREFIX, LastingButton
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import translator
from pastelbot.bot.responses import answers_errors
from pastelbot.records import Job, Rendered

_LOOKS = {"approve": ("Approve", discord.ButtonStyle.success), "reject": ("Reject", discord.ButtonStyle.danger)}


class ReviewButton(LastingButton, template=r"(?:pb:)?review:(?P<verb>approve|reject):(?P<job_id>[0-9a-f]{12})"):
    """One answer to the question whether a picture may be shown."""

    def __init__(self, verb: str, job_id: str) -> None:
        label, style = _LOOKS[verb]
        super().__init__(f"review:{verb}:{job_id}", label, style=style)
        self.verb = verb
        self.job_id = job_id

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Decide, show or delete the pictures, and write down here who decided what."""
        services = interaction.client.services
        job = await services.jobs.job(self.job_id)
        if self.verb == "approve":
            await services.reviews.approve(job, actor_of(interaction))
            interaction.client.messages.publish(Rendered(job=await services.jobs.job(self.job_id)))
        else:
            await services.reviews.reject(job, actor_of(interaction))
        await interaction.response.edit_message(
            content=translator(interaction, public=True)(_decision(self.verb, job, interaction.user.id))[:2000],
            attachments=[],
            view=None,
        )


def is_review_of(custom_id: str, job_id: str) -> bool:
    """Return whether a custom id is that of a button under the question about a job."""
    return custom_id in {f"{PREFIX}review:{verb}:{job_id}" for verb in _LOOKS}


def review_view(job_id: str) -> discord.ui.View:
    """Return the two buttons."""
    view = discord.ui.View(timeout=None)
    for verb in _LOOKS:
        view.add_item(ReviewButton(verb, job_id))
    return view


def _decision(verb: str, job: Job, moderator_id: int) -> str:
    """Say who decided what about whose picture."""
    quote = render.quote_of(job.request)
    if verb == "approve":
        return f"✅ **Approved** by <@{moderator_id}>: a picture of <@{job.user_id}>.\n{quote}"
    return f"🗑️ **Rejected** by <@{moderator_id}>: a picture of <@{job.user_id}>.\n{quote}"
