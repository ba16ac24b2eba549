"""`/recreate` and "Apps > Recreate": paint the picture of an infotext from any program."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import infotext_file_in, infotext_of
from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.direct_messages import actor_for
from pastelbot.bot.components.queueing import children, paint
from pastelbot.bot.context import PAINTS, Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.errors import RequestError
from pastelbot.infotext import read_request
from pastelbot.records import Actor, JobOptions
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.visibility import Visibility


class RecreateCog(commands.Cog):
    """Reads infotexts from texts, pictures and messages."""

    def __init__(self, visibility: Visibility, builder: RequestBuilder) -> None:
        self._visibility = visibility
        self._builder = builder
        self.menu = app_commands.ContextMenu(name="Recreate", callback=self.recreate_message, extras={PAINTS: True})

    @app_commands.command(name="recreate", extras={PAINTS: True})
    @app_commands.describe(
        infotext="The text of a picture's settings, as the webui or the Infotext button writes it",
        picture="A PNG, JPEG or WebP file that still has its settings inside, or a text file with them",
    )
    @answers_errors
    async def recreate(
        self,
        interaction: Interaction,
        infotext: str | None = None,
        picture: discord.Attachment | None = None,
    ) -> None:
        """Paint again what a picture's settings say."""
        if picture is not None:
            infotext = await infotext_of(picture)
        if not infotext or not infotext.strip():
            raise RequestError("There is nothing to recreate: paste an infotext, or attach a picture that has one.")
        await self._paint(interaction, infotext, actor_of(interaction), _hidden_as(picture))

    @answers_errors
    async def recreate_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Paint again the first picture of a message, or the infotext in its text file or its text."""
        picture = infotext_file_in(message)
        infotext = message.content if picture is None else await _infotext_of(picture, message.content)
        job = await self._visibility.shown_in(actor_of(interaction), message.id)
        if job is None:
            await self._paint(interaction, infotext, actor_of(interaction), _hidden_as(picture))
        else:
            await self._paint(interaction, infotext, await actor_for(interaction, job), children(job))

    async def _paint(self, interaction: Interaction, infotext: str, actor: Actor, hidden: JobOptions) -> None:
        checked, notes = await self._builder.recreate(actor, infotext, hidden)
        await paint(interaction, checked, suggesting=False)
        if notes:
            await respond_ephemeral(
                interaction, "\n".join(["It may look different:", *(f"- {note}" for note in notes)])
            )


async def _infotext_of(file: discord.Attachment, content: str) -> str:
    """Return a file's infotext; where it has none, that of the message's text, which often says it then."""
    try:
        return await infotext_of(file)
    except RequestError:
        read = await asyncio.to_thread(read_request, content)
        if "Steps" in read.missing:
            raise
        return content


def _hidden_as(picture: discord.Attachment | None) -> JobOptions:
    """Return the options of what is made from a file: hidden where the file is."""
    return JobOptions(spoiler=picture is not None and picture.is_spoiler())


async def setup(bot: PastelClient) -> None:
    """Add `/recreate` and its menu."""
    services = bot.services
    cog = RecreateCog(services.visibility, services.builder)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
