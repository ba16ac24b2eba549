"""Answer of `/describe`: the tags as a prompt, and a button that paints them.

The button carries nothing: its prompt is the code block of the message that it is in, so it works after a restart too.
"""

import re
from collections.abc import Sequence

import discord

from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.components.queueing import open_prompt_form
from pastelbot.bot.context import Interaction
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import answers_errors
from pastelbot.errors import NotFoundError
from pastelbot.prompt.tags.described import prompt_of
from pastelbot.prompt.tags.names import spoken
from pastelbot.records import Description, ScoredTag

_BLOCK = re.compile(r"```\n(.+?)\n```", re.DOTALL)
_SUREST = 10
_LINE = 300


class PaintTagsButton(LastingButton, template=r"pb:paint-tags"):
    """Opens the form with the described tags as its prompt."""

    def __init__(self) -> None:
        super().__init__("paint-tags", "Paint this", emoji="🎨", style=discord.ButtonStyle.primary)
        self.paints = True

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Ask what of it to paint."""
        block = _BLOCK.search(interaction.message.content if interaction.message is not None else "")
        if block is None:
            raise NotFoundError("The tags are no longer there: describe the picture again with /describe.")
        await open_prompt_form(interaction, block[1])


def described_text(description: Description) -> str:
    """Say what the tagger saw: a prompt to copy, rating, characters, and how sure it is."""
    rating = f"**Rating:** {description.rating} ({description.rating_score:.0%})"
    prompt = prompt_of(description)
    if not prompt:
        return f"The tagger recognised nothing in this picture.\n{rating}"
    lines = [
        f"```\n{prompt}\n```",
        rating,
        f"**Characters:** {_surest(description.characters) or 'none that the tagger knows'}",
        f"**Surest tags:** {_surest(description.tags) or 'none'}",
    ]
    return "\n".join(lines)


def described_view(description: Description) -> discord.ui.View:
    """Return the button, where there is something to paint."""
    view = discord.ui.View(timeout=None)
    if prompt_of(description):
        view.add_item(PaintTagsButton())
    return view


def _surest(tags: Sequence[ScoredTag]) -> str:
    """Name the first tags, as many as fit into a line."""
    names = [f"{plain(spoken(tag.name))} ({tag.score:.0%})" for tag in tags[:_SUREST]]
    while len(", ".join(names)) > _LINE:
        names.pop()
    return ", ".join(names)
