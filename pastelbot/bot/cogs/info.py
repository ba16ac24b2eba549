"""`/queue` and `/help`: private answers to questions."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot import render
from pastelbot.bot.answers import answers_errors, say_privately
from pastelbot.service.jobs import Service

HELP = """**Type `/imagine` with danbooru tags** and get a picture: `1girl, red hair, smile, pink background`.
- `((tag))` or `(tag:1.2)` makes a tag stronger, `[tag]` weaker. `mksks style` at the start makes it softer.
- `negative` lists what to avoid, `size` is {sizes} or pixels, `count` paints several at once.
- The small line under a picture has every setting. The same seed and settings give the same picture again.
- 🎲 **Reroll** paints it with a new seed, 🌱 **Seed** with one that you type, ✏️ **Edit** with another prompt.
- 🌗 **Vary** paints something close to it, 🔍 **Hires** the same picture large, 📋 **Infotext** shows all its settings.
- **Cancel** while it waits or is painted costs nothing. 🗑️ **Delete** is for its owner and moderators.
- `/recreate`, or *Apps > Recreate* on a message, paints what a picture's settings say, wherever it was made.
- `/describe`, or *Apps > Describe* on a message, says which tags a picture shows, ready to paint.
- `/queue` shows the line, `/quota` how much you may still paint. The cost is work: pixels times steps."""


class InfoCog(commands.Cog):
    """Commands that only tell."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @app_commands.command(name="queue")
    @answers_errors
    async def queue(self, interaction: discord.Interaction[Any]) -> None:
        """Show who is being painted for, and who is in line."""
        await say_privately(interaction, render.queue_text(await self._service.overview()))

    @app_commands.command(name="help")
    @answers_errors
    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Show how to paint."""
        await say_privately(interaction, HELP.format(sizes=", ".join(self._service.settings.sizes)))
