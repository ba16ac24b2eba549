"""`/help` and `/about`."""

import asyncio
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.help import texts as about
from pastelbot.bot.localisation import translator
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.config import BUNDLED, Settings
from pastelbot.errors import NotAllowedError, NotFoundError
from pastelbot.options.wildcards import load_wildcards
from pastelbot.service.requests.submission import JobService
from pastelbot.similarity import similar

_WORDS = 2  # at most, of what can be meant for a command
_WITH_TAGGER = frozenset({"describe", "Describe"})


class HelpCog(commands.Cog):
    """What the bot is, and how to use it."""

    def __init__(self, settings: Settings, jobs: JobService) -> None:
        self._settings = settings
        self._jobs = jobs

    @app_commands.command(name="help")
    @app_commands.describe(command="A command, prompts, flags, lists or buttons; left out, how to begin")
    @answers_errors
    async def show_help(self, interaction: Interaction, command: str | None = None) -> None:
        """Show how to paint, or what a command does."""
        known = await _known(interaction)
        word = _key((command or "").strip())
        word = {theirs: name for name, theirs in _their_names(interaction, known).items()}.get(word, word)
        if not word:
            shown = [each for name, each in known.items() if " " not in name or _is_menu(each)]
            text = about.overview_text({each.name: _shown(interaction, each) for each in shown})
        elif word == "lists":
            lists = await asyncio.to_thread(load_wildcards, self._settings.prompts.wildcards)
            text = about.lists_text(lists.names)
        elif word in about.TOPICS:
            text = about.TOPICS[word]
        elif (found := known.get(word) or known.get(f"apps > {word}")) is not None:
            text = about.command_text(found)
        elif answers := about.answers_about(word, translator(interaction)):
            text = answers
        else:
            raise NotFoundError(_unknown(word[:40], [*known, *about.TOPICS]))
        await respond_ephemeral(interaction, text)

    @show_help.autocomplete("command")
    async def complete(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer commands and topics."""
        word = _key(current.strip())
        names = {name: name for name in about.TOPICS} | _their_names(interaction, await _known(interaction))
        found = [(theirs, name) for name, theirs in names.items() if word in name or word in theirs]
        return [app_commands.Choice(name=theirs, value=name) for theirs, name in found[:25]]

    @app_commands.command(name="about")
    @answers_errors
    async def show_about(self, interaction: Interaction) -> None:
        """Show what paints here, under which licence, and who made it."""
        bundled = self._settings.checkpoint.path == BUNDLED
        await respond_ephemeral(interaction, about.about_text(self._jobs.checkpoint, bundled=bundled))


def _unknown(word: str, names: Sequence[str]) -> str:
    """Say that there is no such command, and which ones are near; there are too many to name them all.

    What has more words than commands, or other letters, is taken for a question.
    """
    if near := similar(word, names):
        return f"There is no command {word!r}. Did you mean {' or '.join(near)}?"
    if len(word.split()) > _WORDS or not word.isascii():
        return (
            f"There is no answer to {word!r}. `/help` alone says how to do what people ask for most, and names all "
            "commands."
        )
    return f"There is no command {word!r}: `/help` alone names them all."


async def _known(interaction: Interaction) -> dict[str, about.AnyCommand]:
    """Return every command that this person can use here, by its name in small letters, if it is not switched off."""
    found: dict[str, about.AnyCommand] = {}
    for kind in discord.AppCommandType:
        for command in interaction.client.tree.get_commands(type=kind):
            if command.default_permissions is not None and not await _may_administrate(interaction):
                continue
            if command.name in _WITH_TAGGER and not interaction.client.services.settings.tagger.enabled:
                continue
            inner = command.walk_commands() if isinstance(command, app_commands.Group) else ()
            found |= {_key(about.name_of(each)): each for each in (command, *inner)}
    return found


async def _may_administrate(interaction: Interaction) -> bool:
    """Return whether the user may use `/admin`, the one command that is restricted."""
    try:
        await interaction.client.services.access.check_admin(actor_of(interaction))
    except NotAllowedError:
        return False
    return True


def _their_names(interaction: Interaction, known: dict[str, about.AnyCommand]) -> dict[str, str]:
    """Return the commands' names in the user's language, in order of their English names."""
    translate = translator(interaction)
    return {name: _key(translate(about.name_of(known[name]))) for name in sorted(known)}


def _shown(interaction: Interaction, command: about.AnyCommand) -> str:
    """Return a command's name, to be clicked on where Discord can do that: not for groups and menus."""
    ids = interaction.client.command_ids
    numbers = {**ids.get(None, {}), **ids.get(interaction.guild_id, {})}
    if isinstance(command, app_commands.Command) and command.name in numbers:
        return f"</{command.name}:{numbers[command.name]}>"
    return f"`{translator(interaction)(about.name_of(command))}`"


def _key(name: str) -> str:
    return name.lstrip("/").lower()


def _is_menu(command: about.AnyCommand) -> bool:
    return isinstance(command, app_commands.ContextMenu)
