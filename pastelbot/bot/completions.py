"""Autocomplete choices of slash options: at most 25 of at most 100 characters."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog
from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import translator
from pastelbot.errors import PastelError
from pastelbot.options.shipped_presets import SHIPPED_PRESETS
from pastelbot.prompt.tags.completion import Completion
from pastelbot.service.requests.presets import Presets

_MOST = 25
_LONGEST = 100

log = structlog.get_logger(__name__)


def _offer(typed: str, values: Mapping[str, str]) -> list[app_commands.Choice[str]]:
    """Return the values whose label has what was typed in it, those that begin with it first."""
    word = typed.strip().lower()
    fitting = [(label, value) for label, value in values.items() if word in label.lower() and len(value) <= _LONGEST]
    fitting.sort(key=lambda pair: not pair[0].lower().startswith(word))
    return [app_commands.Choice(name=label[:_LONGEST], value=value) for label, value in fitting[:_MOST]]


def offering(names: Sequence[str]) -> Callable[..., Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    """Return a completion that offers the same names to all users."""

    async def complete(_interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return _offer(current, {name: name for name in names})

    return complete


async def offer_presets(presets: Presets, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Return the presets that the person saved, and that this server has, their own first."""
    return _offer(typed, await _saved_presets(presets, interaction))


async def _saved_presets(presets: Presets, interaction: Interaction) -> dict[str, str]:
    """Return the names of presets by what is shown of them."""
    usable = await presets.usable(actor_of(interaction))
    labels: dict[str, str] = {}
    for preset in usable:
        if preset.name.casefold() not in {name.casefold() for name in labels.values()}:
            shared = translator(interaction)(f"{preset.name} (this server's)")
            labels[shared if preset.is_shared else preset.name] = preset.name
    return labels


async def preset_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the presets that the person may use here, those that every bot has last."""
    labels = await _saved_presets(interaction.client.services.presets, interaction)
    taken = {name.casefold() for name in labels.values()}
    return _offer(typed, labels | {name: name for name in SHIPPED_PRESETS if name.casefold() not in taken})


async def size_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the named sizes."""
    named = interaction.client.services.settings.sizes.items()
    return _offer(typed, {f"{name} ({size.first})": name for name, size in named})


async def checkpoint_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the checkpoints."""
    models = interaction.client.services.models
    default = translator(interaction)(_marked(models.in_use, in_use=True))
    return _offer(typed, {default if name == models.in_use else name: name for name in models.names.checkpoints})


async def vae_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the VAEs."""
    return _offer(typed, {name: name for name in interaction.client.services.models.names.vaes})


async def lora_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the LoRAs that there are; a weight that was typed stays."""
    name, colon, weight = typed.partition(":")
    loras = interaction.client.services.models.names.loras
    known = await asyncio.to_thread(lambda: loras.files)  # which may list a folder
    return _offer(name, {f"{each}{colon}{weight}": f"{each}{colon}{weight}" for each in known})


async def history_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the person's newest pictures here."""
    found = await interaction.client.services.history.offers(actor_of(interaction), most=_MOST)
    return _offer(typed, {f"{each.seed}: {' '.join(each.prompt.split())}": each.name for each in found})


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


def _marked(name: str, *, in_use: bool) -> str:
    """Return a checkpoint's name as it is offered: the usual one says so, as far as there is room."""
    label = f"{name} (usual)"
    return label if in_use and len(label) <= _LONGEST else name


def _choices(found: list[Completion]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=name, value=value) for name, value in found]
