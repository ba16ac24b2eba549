"""The rate of one user's commands, buttons and completions, checked before anything else is done for them."""

from typing import Any

import discord

from pastelbot.bot.responses import answer_error
from pastelbot.errors import LimitError
from pastelbot.service.rates import Kind

_KINDS = {
    discord.InteractionType.application_command: Kind.COMMAND,
    discord.InteractionType.component: Kind.BUTTON,
    discord.InteractionType.autocomplete: Kind.COMPLETION,
}


async def within_rate(interaction: discord.Interaction[Any]) -> bool:
    """Return whether an interaction may be answered; where it comes too soon, say so to its user alone.

    A form only follows a button or a command, which have their rates, so forms have none.
    """
    kind = _KINDS.get(interaction.type)
    if kind is None:
        return True
    try:
        interaction.client.services.rates.spend(interaction.user.id, kind)
    except LimitError as error:
        if kind is Kind.COMPLETION:
            await interaction.response.autocomplete([])
        else:
            await answer_error(interaction, error)
        return False
    return True
