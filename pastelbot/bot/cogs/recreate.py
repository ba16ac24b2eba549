"""`/recreate` and "Apps > Recreate": paint what an infotext says, wherever it was made."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot import pictures
from pastelbot.bot.answers import answers_errors, say_privately
from pastelbot.bot.checks import asker_of
from pastelbot.bot.views.queueing import submit
from pastelbot.errors import RequestError
from pastelbot.service.jobs import Service

_LARGEST = 25 * 2**20


class RecreateCog(commands.Cog):
    """Reads infotexts from texts, pictures and messages."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.menu = app_commands.ContextMenu(name="Recreate", callback=self.recreate_message)

    @app_commands.command(name="recreate")
    @app_commands.describe(
        infotext="The text of a picture's settings, as the webui or the Infotext button writes it",
        picture="A PNG, JPEG or WebP file that still has its settings inside",
    )
    @answers_errors
    async def recreate(
        self,
        interaction: discord.Interaction[Any],
        infotext: str | None = None,
        picture: discord.Attachment | None = None,
    ) -> None:
        """Paint again what a picture's settings say."""
        if picture is not None:
            infotext = await _infotext_of(picture)
        if not infotext or not infotext.strip():
            raise RequestError("There is nothing to recreate: paste an infotext, or attach a picture that has one.")
        await self._paint(interaction, infotext)

    @answers_errors
    async def recreate_message(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Paint again the first picture of a message, or the infotext that it says."""
        picture = next((file for file in message.attachments if (file.content_type or "").startswith("image/")), None)
        await self._paint(interaction, message.content if picture is None else await _infotext_of(picture))

    async def _paint(self, interaction: discord.Interaction[Any], infotext: str) -> None:
        request, notes = await self._service.recreate(asker_of(interaction), infotext)
        await submit(interaction, request)
        if notes:
            await say_privately(interaction, "\n".join(["It may look different:", *(f"- {note}" for note in notes)]))


async def _infotext_of(picture: discord.Attachment) -> str:
    if picture.size > _LARGEST:
        raise RequestError(f"The picture has {picture.size:,} bytes; the cap is {_LARGEST:,}.")
    try:
        content = await picture.read()
    except discord.HTTPException as error:
        raise RequestError("Discord does not hand the picture out any more: attach it again.") from error
    return pictures.read_infotext(content)
