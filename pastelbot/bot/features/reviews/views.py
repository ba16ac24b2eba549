"""Approve and Reject: the buttons under a withheld picture in the mod channel. They work for ever."""

import re
from typing import TYPE_CHECKING, Any

import discord

from pastelbot.bot import render
from pastelbot.bot.checks import actor_of
from pastelbot.bot.localisation import translator
from pastelbot.bot.responses import answers_errors
from pastelbot.records import Job, Rendered

if TYPE_CHECKING:
    from pastelbot.bot.client import PastelBot

_LOOKS = {"approve": ("Approve", discord.ButtonStyle.success), "reject": ("Reject", discord.ButtonStyle.danger)}


class ReviewButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"review:(?P<verb>approve|reject):(?P<job>[0-9a-f]{12})"
):
    """One answer to the question whether a picture may be shown."""

    def __init__(self, verb: str, job_id: str) -> None:
        label, style = _LOOKS[verb]
        super().__init__(discord.ui.Button(label=label, style=style, custom_id=f"review:{verb}:{job_id}"))
        self.verb = verb
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> "ReviewButton":
        """Rebuild the button that was clicked."""
        return cls(match["verb"], match["job"])

    @answers_errors
    async def callback(self, interaction: "discord.Interaction[PastelBot]") -> None:
        """Decide, show or delete the pictures, and write down here who decided what."""
        resources = interaction.client.resources
        job = await resources.service.job(self.job_id)
        if self.verb == "approve":
            await resources.reviews.approve(job, actor_of(interaction))
            resources.delivery.publish(Rendered(job=await resources.service.job(self.job_id)))
        else:
            await resources.reviews.reject(job, actor_of(interaction))
        await interaction.response.edit_message(
            content=translator(interaction, public=True)(decision(self.verb, job, interaction.user.id))[:2000],
            attachments=[],
            view=None,
            allowed_mentions=discord.AllowedMentions.none(),
        )


def review_view(job_id: str) -> discord.ui.View:
    """Return the two buttons."""
    view = discord.ui.View(timeout=None)
    for verb in _LOOKS:
        view.add_item(ReviewButton(verb, job_id))
    return view


def decision(verb: str, job: Job, moderator_id: int) -> str:
    """Say who decided what about whose picture."""
    quote = render.quote(job.request.prompt)
    if verb == "approve":
        return f"✅ **Approved** by <@{moderator_id}>: a picture of <@{job.user_id}>.\n{quote}"
    return f"🗑️ **Rejected** by <@{moderator_id}>: a picture of <@{job.user_id}>.\n{quote}"
