"""The buttons under a job's message.

A button carries nothing but its verb, the job's id and, where it is about one of several pictures, its number
(`pb:<verb>:<job id>[:<number>]`), so it works after any restart, for as long as the job is in the database.
"""

from types import MappingProxyType
from typing import NamedTuple

import discord

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components import job_actions, job_questions
from pastelbot.bot.components.lasting_button import PREFIX, LastingButton
from pastelbot.bot.context import Interaction
from pastelbot.bot.responses import (
    answers_errors,
    is_on_private_message,
    respond_ephemeral,
    respond_in_place,
)
from pastelbot.errors import NotFoundError
from pastelbot.records import Job, JobStatus


class _Look(NamedTuple):
    label: str
    emoji: str | None
    style: discord.ButtonStyle = discord.ButtonStyle.secondary


# What stands in the row under a picture has no emoji: four such buttons fit beside each other on a phone.
_LOOKS = {
    "reroll": _Look("Reroll", None, discord.ButtonStyle.primary),
    "edit": _Look("Edit", None),
    "more": _Look("More", None),
    "seed": _Look("Seed", "🌱"),
    "corrected": _Look("Paint corrected", "✏️"),
    "vary": _Look("Vary", None),
    "subtle": _Look("Subtle", None),
    "strong": _Look("Strong", None),
    "hires": _Look("Hires", None),
    "faithful": _Look("Faithful", None),
    "creative": _Look("Creative", None),
    "infotext": _Look("Infotext", "📋"),
    "share": _Look("Share", "🖼️"),
    "unshare": _Look("Unshare", "🖼️"),
    "delete": _Look("Delete", "🗑️"),
    "remove": _Look("Delete for all", "🗑️", discord.ButtonStyle.danger),
    "cancel": _Look("Cancel", None, discord.ButtonStyle.danger),
}

_UNKNOWN = _Look("?", None)  # a button that another version of the bot has sent
_WAITING = ("cancel",)
_ENDED = ("reroll", "edit", "delete")


class JobButton(LastingButton, template=r"pb:(?P<verb>[a-z]{1,16}):(?P<job_id>[0-9a-f]{12})(?::(?P<number>[1-9]\d?))?"):
    """One button; what it does is in `actions`. `number` is a picture's, counted from 1."""

    readers = MappingProxyType({"number": int})

    def __init__(self, verb: str, job_id: str, number: int | None = None, *, row: int | None = None) -> None:
        look = _LOOKS.get(verb, _UNKNOWN)
        label, end = (look.label, "") if number is None else (f"{look.label} {number}", f":{number}")
        super().__init__(f"{verb}:{job_id}{end}", label, emoji=look.emoji, style=look.style, row=row)
        self.verb = verb
        self.paints = verb in job_actions.PAINTING
        self.job_id = job_id
        self.number = number

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Do what the button says, or first ask about which picture."""
        if self.verb not in _LOOKS:
            raise NotFoundError("This button is from another version of the bot: use one under a newer picture.")
        job = await self._job(interaction)
        asked = await job_questions.question(interaction, self.verb, job, self.number)
        if asked is not None:
            await respond_in_place(interaction, asked.text, view=_asked_view(asked, job))
            if not is_on_private_message(interaction):
                await interaction.client.questions.replaced_by(interaction)
        else:
            await self._act(interaction, job)

    async def _act(self, interaction: Interaction, job: Job) -> None:
        """Do it; what was asked on a private message is answered there."""
        verb = "remove" if self.verb == "delete" else self.verb
        said = await job_actions.ACTIONS[verb](interaction, job, (self.number or 1) - 1)
        if said is not None and is_on_private_message(interaction):
            asked = await job_questions.again(interaction, job, self.number)
            await respond_in_place(interaction, said, view=_asked_view(asked, job))
        elif said is not None:
            await respond_ephemeral(interaction, said)

    async def _job(self, interaction: Interaction) -> Job:
        """Return the button's job; what an action on another user's job needs is checked where it is done."""
        services = interaction.client.services
        if self.verb in job_actions.OWN:
            return await services.jobs.job(self.job_id)
        return await services.visibility.job(actor_of(interaction), self.job_id)


def is_of_job(custom_id: str, job_id: str) -> bool:
    """Return whether a custom id is that of a button under a job's message."""
    parts = custom_id.split(":")
    return len(parts) > 2 and f"{parts[0]}:" == PREFIX and parts[1] in _LOOKS and parts[2] == job_id


def job_view(job: Job, *, outside: bool = False) -> discord.ui.View:
    """Return the buttons that fit the job's state.

    `outside`, where the bot is not, only a button of the message itself can delete it.
    """
    verbs = _verbs(job)
    if outside and "more" in verbs:
        verbs = (*verbs, "delete")
    return _view([JobButton(verb, job.id) for verb in verbs])


def _asked_view(asked: job_questions.Question, job: Job) -> discord.ui.View:
    return _view([JobButton(each.verb, job.id, each.number, row=each.row) for each in asked.choices])


def _verbs(job: Job) -> tuple[str, ...]:
    if job.status in {JobStatus.QUEUED, JobStatus.LEASED} or (job.withheld and not job.status.ended):
        return _WAITING
    if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        return _ENDED
    return job_questions.row_of(job)


def _view(buttons: list[JobButton]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(button)
    return view
