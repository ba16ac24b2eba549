"""Autocomplete callbacks of slash options; on any error they offer no choices."""

import structlog
from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.errors import PastelError
from pastelbot.prompt.tags.completion import Completion

log = structlog.get_logger(__name__)


async def prompt_choices(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Return completions of the last tag of a prompt."""
    tags = interaction.client.services.tags
    try:
        return _choices(await tags.complete(current, actor_of(interaction)))
    except PastelError as error:
        log.warning("nothing to complete with", error=str(error))
        return []


async def query_choices(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Return tags that a search may be for."""
    tags = interaction.client.services.tags
    try:
        return _choices(await tags.complete_query(current, actor_of(interaction)))
    except PastelError as error:
        log.warning("nothing to complete with", error=str(error))
        return []


def _choices(found: list[Completion]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=name, value=value) for name, value in found]
