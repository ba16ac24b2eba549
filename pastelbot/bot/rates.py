"""The door of commands, buttons and completions: each is heard once, and no faster than its user's rate."""

from typing import Any

import discord
import structlog

from pastelbot.bot.responses import answer_error
from pastelbot.errors import LimitError
from pastelbot.service.rates import Kind

log = structlog.get_logger(__name__)

_KINDS = {
    discord.InteractionType.application_command: Kind.COMMAND,
    discord.InteractionType.component: Kind.BUTTON,
    discord.InteractionType.autocomplete: Kind.COMPLETION,
}


async def within_rate(interaction: discord.Interaction[Any]) -> bool:
    """Return whether an interaction may be answered; where it comes too soon, say so to its user alone.

    One that Discord delivers again is being answered already. A form only follows a button or a command, which have
    their rates, so forms have none; what they do once, is done by the database.
    """
    kind, rates = _KINDS.get(interaction.type), interaction.client.services.rates
    if kind is None:
        return True
    if not rates.is_new(interaction.id):
        log.info("an interaction came again", interaction=interaction.id)
        return False
    try:
        rates.spend(interaction.user.id, kind)
    except LimitError as error:
        if kind is Kind.COMPLETION:
            await interaction.response.autocomplete([])
        else:
            await answer_error(interaction, error)
        return False
    return True
