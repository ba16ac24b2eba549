"""The buttons under a job's message.

A button carries nothing but its verb and the job's id (`pb:<verb>:<job id>`), so it works after any restart, for as
long as the job is in the database.
"""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import discord

from pastelbot.bot.answers import answers_errors
from pastelbot.bot.views import actions
from pastelbot.records import Job, JobStatus

if TYPE_CHECKING:
    from pastelbot.bot.client import PastelBot


class _Look(NamedTuple):
    label: str
    emoji: str | None
    style: discord.ButtonStyle


_LOOKS = {
    "reroll": _Look("Reroll", "🎲", discord.ButtonStyle.primary),
    "seed": _Look("Seed", "🌱", discord.ButtonStyle.secondary),
    "edit": _Look("Edit", "✏️", discord.ButtonStyle.secondary),
    "delete": _Look("Delete", "🗑️", discord.ButtonStyle.secondary),
    "cancel": _Look("Cancel", None, discord.ButtonStyle.danger),
}

_VERBS = {
    JobStatus.QUEUED: ("cancel",),
    JobStatus.LEASED: ("cancel",),
    JobStatus.RENDERED: ("reroll", "seed", "edit", "delete"),
    JobStatus.POSTED: ("reroll", "seed", "edit", "delete"),
    JobStatus.DONE: ("reroll", "seed", "edit", "delete"),
    JobStatus.FAILED: ("reroll", "edit", "delete"),
    JobStatus.CANCELLED: ("reroll", "edit", "delete"),
}


class JobButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"pb:(?P<verb>[a-z]{1,16}):(?P<job>[0-9a-f]{12})"
):
    """One button; what it does is in `actions`."""

    def __init__(self, verb: str, job_id: str) -> None:
        look = _LOOKS[verb]
        super().__init__(
            discord.ui.Button(label=look.label, emoji=look.emoji, style=look.style, custom_id=f"pb:{verb}:{job_id}")
        )
        self.verb = verb
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> "JobButton":
        """Rebuild the button that was clicked."""
        return cls(match["verb"], match["job"])

    @answers_errors
    async def callback(self, interaction: "discord.Interaction[PastelBot]") -> None:
        """Do what the button says."""
        await actions.ACTIONS[self.verb](interaction, self.job_id)


def job_view(job: Job) -> discord.ui.View:
    """Return the buttons that fit the job's state."""
    view = discord.ui.View(timeout=None)
    for verb in _VERBS[job.status]:
        view.add_item(JobButton(verb, job.id))
    return view
