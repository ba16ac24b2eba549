"""`/imagine`: from tags to a queued job."""

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import picture_of
from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import history_choices, prompt_choices
from pastelbot.bot.components.generation_options import generation_options
from pastelbot.bot.components.queueing import children, paint
from pastelbot.bot.context import EDITABLE, PAINTS, Interaction, PastelClient
from pastelbot.bot.responses import answers_errors
from pastelbot.errors import RequestError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import IN_SLASH_COMMANDS
from pastelbot.prompt.tags.completion import without_arrows
from pastelbot.records import Actor, JobOptions
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.history import PictureHistory


class ImagineCog(commands.Cog):
    """The command that paints."""

    def __init__(self, builder: RequestBuilder, history: PictureHistory) -> None:
        self._builder = builder
        self._history = history

    @app_commands.command(name="imagine", extras={EDITABLE: True, PAINTS: True})
    @app_commands.describe(
        prompt="What to paint, as danbooru tags: 1girl, red hair, smile",
        init="A picture to start from",
        mask="Paint only what is white in this picture, as large as the one to start from",
        previous="An earlier picture to start from: one of yours, or the link of a message",
        strength="How far to go from that picture: 0 keeps it, 1 forgets it",
    )
    @app_commands.autocomplete(prompt=prompt_choices, previous=history_choices)
    @answers_errors
    @generation_options(*IN_SLASH_COMMANDS)
    async def imagine(
        self,
        interaction: Interaction,
        prompt: str,
        *,
        options: GenerationOptions,
        init: discord.Attachment | None = None,
        mask: discord.Attachment | None = None,
        previous: str | None = None,
        strength: float | None = None,
    ) -> None:
        """Paint a picture from danbooru tags."""
        if strength is not None and init is None and previous is None:
            raise RequestError("A strength belongs to a picture to start from: attach one as init, or leave it out.")
        if mask is not None and init is None and previous is None:
            raise RequestError("A mask belongs to a picture to start from: attach one as init, or leave it out.")
        actor, job_options, start = await self._start(interaction, init, previous)
        options = options.replace(
            prompt=without_arrows(prompt),
            init=start,
            mask=None if mask is None else await picture_of(mask, what="The mask"),
            denoise=options.denoise if strength is None else strength,
        )
        await paint(interaction, await self._builder.build(actor, options, job_options))

    async def _start(
        self, interaction: Interaction, init: discord.Attachment | None, previous: str | None
    ) -> tuple[Actor, JobOptions, bytes | None]:
        """Return who asks, what the job is made from, and the picture to start from, where there is one."""
        actor = actor_of(interaction)
        if previous is None:
            return actor, JobOptions(), None if init is None else await picture_of(init)
        if init is not None:
            raise RequestError("Both init and previous name a picture to start from: leave one of them out.")
        job, content = await self._history.open(actor, previous)
        return actor, children(job), content


async def setup(bot: PastelClient) -> None:
    """Add `/imagine`."""
    await bot.add_cog(ImagineCog(bot.services.builder, bot.services.history))
