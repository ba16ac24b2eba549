"""`/recreate` and "Apps > Recreate": paint the picture of an infotext from any program."""

import asyncio
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import infotext_file_in, infotext_of, picture_of
from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.direct_messages import actor_for
from pastelbot.bot.components.queueing import children, paint
from pastelbot.bot.context import PAINTS, Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.errors import RequestError
from pastelbot.infotext import read_request
from pastelbot.records import Actor, JobOptions
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.checking import Checked
from pastelbot.service.requests.presets import Presets
from pastelbot.service.visibility import Visibility


class RecreateCog(commands.Cog):
    """Reads infotexts from texts, pictures and messages."""

    def __init__(self, visibility: Visibility, builder: RequestBuilder, presets: Presets) -> None:
        self._visibility = visibility
        self._builder = builder
        self._presets = presets
        self.menu = app_commands.ContextMenu(name="Recreate", callback=self.recreate_message, extras={PAINTS: True})

    @app_commands.command(name="recreate", extras={PAINTS: True})
    @app_commands.describe(
        infotext="The text of a picture's settings, as the webui or the Infotext button writes it",
        picture="A PNG, JPEG or WebP file that still has its settings inside, or a text file with them",
        init="The picture that it was painted over, if it was",
        mask="The mask that it was painted by, if it was",
    )
    @answers_errors
    async def recreate(
        self,
        interaction: Interaction,
        infotext: str | None = None,
        picture: discord.Attachment | None = None,
        init: discord.Attachment | None = None,
        mask: discord.Attachment | None = None,
    ) -> None:
        """Paint again what a picture's settings say."""
        if picture is not None:
            infotext = await infotext_of(picture)
        if not infotext or not infotext.strip():
            raise RequestError("There is nothing to recreate: paste an infotext, or attach a picture that has one.")
        if mask is not None and init is None:
            raise RequestError("A mask belongs to a picture to start from: attach one as init, or leave it out.")
        start = None if init is None else await picture_of(init)
        by = None if mask is None else await picture_of(mask, what="The mask")
        hidden = _hidden_as(picture, init)
        actor = actor_of(interaction)
        checked, notes = await self._builder.recreate(actor, infotext, hidden, init=start, mask=by)
        await self._answer(interaction, actor, checked, notes)

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
        await self._answer(interaction, actor, checked, notes)

    async def _answer(self, interaction: Interaction, actor: Actor, checked: Checked, notes: Sequence[str]) -> None:
        await paint(interaction, checked, suggesting=False)
        presets = await self._presets.around(actor, checked.requests[0])
        lines = [f"Its prompt is inside these presets of this server: {', '.join(presets)}."] if presets else []
        if notes:
            lines += ["It may look different:", *(f"- {note}" for note in notes)]
        if lines:
            await respond_ephemeral(interaction, "\n".join(lines))


async def _infotext_of(file: discord.Attachment, content: str) -> str:
    """Return a file's infotext; where it has none, that of the message's text, which often says it then."""
    try:
        return await infotext_of(file)
    except RequestError:
        read = await asyncio.to_thread(read_request, content)
        if "Steps" in read.missing:
            raise
        return content


def _hidden_as(*files: discord.Attachment | None) -> JobOptions:
    """Return the options of what is made from files: hidden where one is."""
    return JobOptions(spoiler=any(file is not None and file.is_spoiler() for file in files))


async def setup(bot: PastelClient) -> None:
    """Add `/recreate` and its menu."""
    services = bot.services
    cog = RecreateCog(services.visibility, services.builder, services.presets)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
