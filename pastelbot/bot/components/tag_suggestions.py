"""Private tag suggestions to the author of a queued request."""

import structlog

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.errors import PastelError

log = structlog.get_logger(__name__)

_LONGEST = 100


async def suggest_tags(interaction: Interaction, prompt: str) -> None:
    """Suggest known tags for similar unknown ones; silent where there are none.

    The picture is queued already, so nothing that fails here may look like its failure.
    """
    try:
        found = await interaction.client.services.tags.suggestions(prompt, actor_of(interaction))
    except PastelError as error:
        log.warning("no suggestions", error=str(error))
        return
    lines = [f"💡 {_shown(each.typed)} is not a known tag. Did you mean **{_shown(each.meant)}**?" for each in found]
    if lines:
        await respond_ephemeral(interaction, "\n".join(lines))


def _shown(text: str) -> str:
    return plain(" ".join(text.split())[:_LONGEST])
