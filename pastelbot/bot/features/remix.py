"""`Apps > Remix`: start from a posted picture."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import first_picture, infotext_of, picture_of
from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.direct_messages import actor_for
from pastelbot.bot.components.modals import OptionsModal, Paint, typed_again
from pastelbot.bot.components.queueing import children, paint
from pastelbot.bot.context import PAINTS, Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, open_modal
from pastelbot.errors import RequestError
from pastelbot.formats import pictures
from pastelbot.infotext import read_request
from pastelbot.options import GenerationOptions, read_seed
from pastelbot.options.reading import read_strength
from pastelbot.records import JobOptions
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.visibility import Visibility

_STRENGTH = "0.6"
_PATIENCE = 1.5  # seconds for looking into a picture before the form opens


class RemixCog(commands.Cog):
    """Paints over pictures of messages."""

    def __init__(self, visibility: Visibility, builder: RequestBuilder) -> None:
        self._visibility = visibility
        self._builder = builder
        self.menu = app_commands.ContextMenu(name="Remix", callback=self.remix, extras={PAINTS: True})

    @answers_errors
    async def remix(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask for a prompt and a strength, and paint over the first picture of a message."""
        picture = first_picture(message)
        job = await self._visibility.shown_in(actor_of(interaction), message.id)
        if job is None:
            prompt, negative = await _texts_of(picture)
        else:
            prompt, negative = job.request.prompt, job.request.negative_prompt

        async def paint_it(answer: Interaction, options: GenerationOptions) -> None:
            actor, job_options = actor_of(answer), JobOptions(spoiler=picture.is_spoiler())
            if job is not None:
                actor, job_options = await actor_for(answer, job), children(job, "remix")
            options = options.replace(init=await picture_of(picture))
            await paint(answer, await self._builder.build(actor, options, job_options))

        await open_modal(interaction, _RemixModal(prompt, negative, paint_it))


async def _texts_of(picture: discord.Attachment) -> tuple[str, str | None]:
    """Return the prompts that a picture's infotext says; without one an empty prompt and None."""
    try:
        infotext = await infotext_of(picture, cap=pictures.MAX_FILE, patience=_PATIENCE)
    except RequestError:
        return "", None
    request = (await asyncio.to_thread(read_request, infotext)).request
    return request.prompt, request.negative_prompt


class _RemixModal(OptionsModal):
    """Asks what to make of a picture."""

    def __init__(self, prompt: str, negative: str | None, paint_it: Paint) -> None:
        super().__init__("Remix this picture", paint_it)
        self.prompt = self.text_field("Prompt", "prompt", typed_again(prompt), long=True, required=True)
        self._negative_before = typed_again(negative, flags=False) if negative is not None else ""
        self._known = negative is not None
        self.negative = self.text_field(
            "Negative prompt",
            "negative",
            self._negative_before,
            long=True,
            hint=None if self._known else "Empty: the usual one",
        )
        self.strength = self.text_field(
            "Strength", "strength", _STRENGTH, required=True, hint="0 keeps the picture, 1 forgets it"
        )
        self.seed = self.text_field("Seed (empty: a random one)", "seed")

    def negative_of(self, text: str) -> str | None:
        """Return the usual one for an empty text, where the picture says nothing of its own."""
        return text if self._known or text.strip() else None

    @answers_errors
    async def on_submit(self, interaction: Interaction) -> None:
        """Paint over the picture."""
        typed_seed = self.seed.value.strip() or "-1"
        self.keep_draft(
            interaction, self.prompt.value, self.negative.value, denoise=self.strength.value, seed=typed_seed
        )
        seed = read_seed(self.seed.value)
        options = GenerationOptions(
            prompt=self.prompt.value,
            negative=self.negative_of(self.negative.value),
            denoise=read_strength(self.strength.value),
            seed=-1 if seed is None else seed,
        )
        await self._paint(interaction, options)


async def setup(bot: PastelClient) -> None:
    """Add the menu."""
    services = bot.services
    cog = RemixCog(services.visibility, services.builder)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
