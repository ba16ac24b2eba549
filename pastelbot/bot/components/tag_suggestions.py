"""Private tag suggestions to the author of a queued request."""

from collections.abc import Sequence
from dataclasses import replace

import discord
import structlog
from discord.utils import MISSING

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.lasting_button import PREFIX
from pastelbot.bot.context import Interaction
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.errors import PastelError
from pastelbot.prompt.tags.names import replace_tags, tag_key
from pastelbot.records import GenerationRequest, Job
from pastelbot.service.tags.dictionary import Suggestion

log = structlog.get_logger(__name__)

_LONGEST = 100
_TIP = (
    "💡 The model was trained on tags with commas between them, and follows those better than sentences: "
    "`1girl, standing, rain, umbrella, looking up`. `/help prompts` says more. You are told this once."
)
_PIECES, _WORDS = 2, 6
_ARTICLES = frozenset({"a", "an", "the", "with", "in", "is", "are", "who", "that", "and", "of", "while", "her", "his"})


async def suggest_tags(interaction: Interaction, prompt: str, job: Job | None = None) -> None:
    """Suggest known tags for similar unknown ones, and to paint a job with them instead; silent where there are none.

    The picture is queued already, so nothing that fails here may look like its failure.
    """
    lines = suggestion_lines(await _suggestions(interaction, prompt))
    if not lines and _is_sentence(prompt) and await _is_first_tip(interaction):
        await respond_ephemeral(interaction, _TIP)
    elif lines:
        await respond_ephemeral(interaction, "\n".join(lines), view=MISSING if job is None else _view(job))


async def certain_suggestions(interaction: Interaction, prompt: str) -> list[Suggestion]:
    """Return the suggestions for tags that are certainly mistyped."""
    return [each for each in await _suggestions(interaction, prompt) if each.certain]


async def _suggestions(interaction: Interaction, prompt: str) -> list[Suggestion]:
    try:
        return await interaction.client.services.tags.suggestions(prompt, actor_of(interaction))
    except PastelError as error:
        log.warning("no suggestions", error=str(error))
        return []


def suggestion_lines(found: Sequence[Suggestion]) -> list[str]:
    """Say which tags are not known, and what was probably meant."""
    return [f"💡 {_shown(each.typed)} is not a known tag. Did you mean **{_shown(each.meant)}**?" for each in found]


def corrected(request: GenerationRequest, found: Sequence[Suggestion]) -> GenerationRequest:
    """Return a request with the tags that were meant, in the prompts of all of its pictures."""
    meant = {tag_key(each.typed): each.meant for each in found}
    prompts = tuple(replace(each, prompt=replace_tags(each.prompt, meant)) for each in request.prompts)
    return request.replace(prompt=replace_tags(request.prompt, meant), prompts=prompts)


def _is_sentence(prompt: str) -> bool:
    """Return whether a prompt is one or two pieces of text as people write them, and no list of tags."""
    pieces = prompt.split(",")
    words = max(pieces, key=len).casefold().split()
    return len(pieces) <= _PIECES and len(words) >= _WORDS and not _ARTICLES.isdisjoint(words)


async def _is_first_tip(interaction: Interaction) -> bool:
    """Return whether the user was not given this tip before, and remember that they are now."""
    try:
        return await interaction.client.services.preferences.is_first(interaction.user.id, "sentences")
    except PastelError as error:
        log.warning("no tip", error=str(error))
        return False


def _view(job: Job) -> discord.ui.View:
    """Return the job's button that paints it with the tags that were meant; `job_buttons` answers it."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Paint corrected", emoji="✏️", custom_id=f"{PREFIX}corrected:{job.id}"))
    return view


def _shown(text: str) -> str:
    return plain(" ".join(text.split())[:_LONGEST])
