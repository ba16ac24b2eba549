"""`/queue`, `/quota` and `/help`: private answers to questions."""

from datetime import timedelta
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot import render
from pastelbot.bot.answers import answers_errors, say_privately
from pastelbot.bot.checks import asker_of
from pastelbot.service.jobs import Service

HELP = """**Type `/imagine` with danbooru tags** and get a picture: `1girl, red hair, smile, pink background`.
- `((tag))` or `(tag:1.2)` makes a tag stronger, `[tag]` weaker. `mksks style` at the start makes it softer.
- `negative` lists what to avoid, `size` is {sizes} or pixels, `count` paints several at once.
- The small line under a picture has every setting. The same seed and settings give the same picture again.
- 🎲 **Reroll** paints it with a new seed, 🌱 **Seed** with one that you type, ✏️ **Edit** with another prompt.
- 🌗 **Vary** paints something close to it, 🔍 **Hires** the same picture large, 📋 **Infotext** shows all its settings.
- **Cancel** while it waits or is painted costs nothing. 🗑️ **Delete** is for its owner and moderators.
- `/recreate`, or *Apps > Recreate* on a message, paints what a picture's settings say, wherever it was made.
- `/queue` shows the line, `/quota` what is left of your day."""


class InfoCog(commands.Cog):
    """Commands that only tell."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @app_commands.command(name="queue")
    @answers_errors
    async def queue(self, interaction: discord.Interaction[Any]) -> None:
        """Show who is being painted for, and who is in line."""
        running, line = await self._service.overview()
        await say_privately(interaction, render.queue_text(running, line))

    @app_commands.command(name="quota")
    @answers_errors
    async def quota(self, interaction: discord.Interaction[Any]) -> None:
        """Show how many pictures you have left today."""
        state = await self._service.quota(asker_of(interaction))
        midnight = discord.utils.utcnow().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if not state.limit:
            text = f"You have painted {state.used} pictures today; there is no limit."
        else:
            left = max(0, state.limit - state.used)
            again = discord.utils.format_dt(midnight, "R")
            text = f"You have {left} of {state.limit} pictures left today; the day ends {again}."
        await say_privately(interaction, text)

    @app_commands.command(name="help")
    @answers_errors
    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Show how to paint."""
        await say_privately(interaction, HELP.format(sizes=", ".join(self._service.settings.sizes)))
