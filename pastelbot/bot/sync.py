"""Command sync with Discord, only where commands changed: 200 a day may be created."""

import hashlib
import json
from collections.abc import Sequence

import discord
import structlog
from discord import app_commands

from pastelbot.bot.context import PastelClient
from pastelbot.bot.localisation import CommandTranslator

log = structlog.get_logger(__name__)


async def sync_commands(bot: PastelClient, guild_ids: Sequence[int]) -> None:
    """Send the commands to each of the servers, or to all servers where none is named."""
    translator, kept = CommandTranslator(bot.languages), bot.services.key_values
    await bot.tree.set_translator(translator)
    guilds: list[discord.abc.Snowflake | None] = [discord.Object(number) for number in guild_ids] or [None]
    digest = await _digest(bot, translator)
    for guild in guilds:
        name = f"commands:{bot.application_id}:{guild.id if guild is not None else 'global'}"
        if guild is not None:
            bot.tree.copy_global_to(guild=guild)
        known = await bot.tree.fetch_commands(guild=guild)
        there = {command.name for command in known}
        ours = {command.name for command in bot.tree.get_commands(guild=guild)}
        if there != ours or await kept.get(name) != digest:
            known = await bot.tree.sync(guild=guild)
            await kept.set(name, digest)
            log.info("commands sent to Discord", commands=len(ours))
        typed = (command for command in known if command.type is discord.AppCommandType.chat_input)
        bot.command_ids[guild.id if guild is not None else None] = {command.name: command.id for command in typed}


async def _digest(bot: PastelClient, translator: app_commands.Translator) -> str:
    payload = [await command.get_translated_payload(bot.tree, translator) for command in bot.tree.get_commands()]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
