"""Private tag suggestions to the author of a queued request."""

import discord
import structlog
from discord.utils import MISSING

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.lasting_button import PREFIX
from pastelbot.bot.context import Interaction
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.errors import PastelError
from pastelbot.records import Job

log = structlog.get_logger(__name__)

_LONGEST = 100


async def suggest_tags(interaction: Interaction, prompt: str, job: Job | None = None) -> None:
    """Suggest known tags for similar unknown ones, and to paint a job with them instead; silent where there are none.

    The picture is queued already, so nothing that fails here may look like its failure.
    """
    try:
        found = await interaction.client.services.tags.suggestions(prompt, actor_of(interaction))
    except PastelError as error:
        log.warning("no suggestions", error=str(error))
        return
    lines = [f"💡 {_shown(each.typed)} is not a known tag. Did you mean **{_shown(each.meant)}**?" for each in found]
    if lines:
        await respond_ephemeral(interaction, "\n".join(lines), view=MISSING if job is None else _view(job))


def _view(job: Job) -> discord.ui.View:
    """Return the job's button that paints it with the tags that were meant; `job_buttons` answers it."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Paint corrected", emoji="✏️", custom_id=f"{PREFIX}corrected:{job.id}"))
    return view


def _shown(text: str) -> str:
    return plain(" ".join(text.split())[:_LONGEST])
