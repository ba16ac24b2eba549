"""Confirmation before a user's data is deleted."""

from types import MappingProxyType

import discord
from discord import ui

from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.context import Interaction
from pastelbot.bot.responses import answers_errors, replace_response
from pastelbot.errors import NotAllowedError

QUESTION = """**This deletes, in every server and for good:**
- your pictures and prompts, and the bot's messages that show them
- what you have shared in galleries, its votes, and your own votes
- your presets and your settings
Jobs of yours that wait or are painted are cancelled. Presets that you made for a whole server stay, without your name.

**This is kept:**
- what is left of your quota and what admins granted, so that being forgotten gives no fresh allowance
- whether you are blocked, so that being forgotten ends no block
- the log, so that moderators can tell who did what; it has no prompts and no pictures

`/mydata export` gets you a copy first."""


class ForgetButton(LastingButton, template=r"pb:forget:(?P<answer>yes|no):(?P<user_id>\d{1,20})"):
    """Yes or no, for the person who was asked."""

    readers = MappingProxyType({"user_id": int})

    def __init__(self, answer: str, user_id: int) -> None:
        yes = answer == "yes"
        super().__init__(
            f"forget:{answer}:{user_id}",
            "Forget everything" if yes else "Keep it",
            style=discord.ButtonStyle.danger if yes else discord.ButtonStyle.secondary,
        )
        self.answer = answer
        self.user_id = user_id

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Forget the person, or not."""
        if interaction.user.id != self.user_id:
            raise NotAllowedError("Another user was asked: use /mydata forget yourself.")
        if self.answer == "no":
            await replace_response(interaction, "Nothing was deleted.")
            return
        await replace_response(interaction, "Deleting…")
        services = interaction.client.services
        for job_id in await services.personal_data.forget(self.user_id):
            interaction.client.messages.forget(job_id)
        interaction.client.posts.wake()
        done = "Everything is deleted. The bot's messages in channels go one after the other; many take a while."
        await replace_response(interaction, done)


def question_view(user_id: int) -> ui.View:
    """Return the two answers."""
    view = ui.View(timeout=None)
    for answer in ("yes", "no"):
        view.add_item(ForgetButton(answer, user_id))
    return view
