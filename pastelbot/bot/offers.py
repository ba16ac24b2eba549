"""What is offered while somebody types: at most 25 choices of at most 100 characters."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

from pastelbot.bot.checks import asker_of
from pastelbot.service.presets import Presets

_MOST = 25
_LONGEST = 100


def offer(typed: str, values: Mapping[str, str]) -> list[app_commands.Choice[str]]:
    """Return the values whose label has what was typed in it, those that begin with it first."""
    word = typed.strip().lower()
    fitting = [(label, value) for label, value in values.items() if word in label.lower() and len(value) <= _LONGEST]
    fitting.sort(key=lambda pair: not pair[0].lower().startswith(word))
    return [app_commands.Choice(name=label[:_LONGEST], value=value) for label, value in fitting[:_MOST]]


async def offer_presets(
    presets: Presets, interaction: discord.Interaction[Any], typed: str
) -> list[app_commands.Choice[str]]:
    """Return the presets that the person may use here, their own first."""
    usable = await presets.usable(asker_of(interaction))
    labels: dict[str, str] = {}
    for preset in usable:
        if preset.name.casefold() not in {name.casefold() for name in labels.values()}:
            labels[f"{preset.name} (this server's)" if preset.is_shared else preset.name] = preset.name
    return offer(typed, labels)
