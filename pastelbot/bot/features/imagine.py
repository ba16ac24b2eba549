"""`/imagine`: from tags to a queued job."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import picture_of
from pastelbot.bot.autocomplete import prompt_choices
from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import (
    checkpoint_choices,
    history_choices,
    lora_choices,
    preset_choices,
    size_choices,
    vae_choices,
)
from pastelbot.bot.components.queueing import children, paint
from pastelbot.bot.responses import answers_errors
from pastelbot.errors import RequestError
from pastelbot.options import HIRES_CHOICES, SAMPLER_CHOICES, GenerationOptions
from pastelbot.options.reading import read_hires
from pastelbot.prompt.tags.completion import without_arrows
from pastelbot.records import Actor, JobOptions
from pastelbot.rules.samplers import SCHEDULES
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.history import PictureHistory


class ImagineCog(commands.Cog):
    """The command that paints."""

    def __init__(self, builder: RequestBuilder, history: PictureHistory) -> None:
        self._builder = builder
        self._history = history

    @app_commands.command(name="imagine")
    @app_commands.describe(
        prompt="What to paint, as danbooru tags: 1girl, red hair, smile",
        negative="What to avoid; left out, the usual list",
        size="portrait, landscape, square, or pixels such as 448x640",
        seed="The same seed and settings give the same picture; left out, a random one",
        steps="Sampling steps",
        cfg="CFG scale: how closely to follow the prompt",
        sampler="How the noise is removed",
        schedule="How the noise is spread over the steps; left out, the sampler's own",
        clip_skip="Layers of the text encoder to leave out: 1 is none, 2 is usual",
        hires="Paint it large in a second pass",
        denoise="How much the second pass may change: 0.01 to 1",
        count="How many pictures",
        lora="A LoRA to add; name:0.8 sets its weight",
        checkpoint="What paints; left out, the usual checkpoint",
        vae="Another VAE: what turns the result into colours",
        style="Ask for the style that the checkpoint was trained on",
        preset="Saved settings for what is left out",
        spoiler="Hide the picture until somebody clicks on it",
        private="Send the picture to you alone, as a direct message",
        init="A picture to start from",
        previous="An earlier picture to start from: one of yours, or the link of a message",
        strength="How far to go from that picture: 0 keeps it, 1 forgets it",
    )
    @app_commands.choices(
        sampler=[app_commands.Choice(name=name, value=name) for name in SAMPLER_CHOICES],
        schedule=[app_commands.Choice(name=name, value=name) for name in SCHEDULES],
        hires=[app_commands.Choice(name=name, value=name) for name in HIRES_CHOICES],
    )
    @app_commands.autocomplete(
        prompt=prompt_choices,
        size=size_choices,
        lora=lora_choices,
        checkpoint=checkpoint_choices,
        vae=vae_choices,
        preset=preset_choices,
        previous=history_choices,
    )
    @answers_errors
    async def imagine(
        self,
        interaction: discord.Interaction[Any],
        prompt: str,
        negative: str | None = None,
        size: str | None = None,
        seed: int | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        schedule: str | None = None,
        clip_skip: int | None = None,
        hires: str | None = None,
        denoise: float | None = None,
        count: int | None = None,
        lora: str | None = None,
        checkpoint: str | None = None,
        vae: str | None = None,
        style: bool | None = None,  # noqa: FBT001 - Discord's options are positional
        preset: str | None = None,
        spoiler: bool | None = None,  # noqa: FBT001
        private: bool | None = None,  # noqa: FBT001
        init: discord.Attachment | None = None,
        previous: str | None = None,
        strength: float | None = None,
    ) -> None:
        """Paint a picture from danbooru tags."""
        if strength is not None and init is None and previous is None:
            raise RequestError("A strength belongs to a picture to start from: attach one as init, or leave it out.")
        actor, job_options, start = await self._start(interaction, init, previous)
        large, scale = (None, None) if hires is None else read_hires(hires)
        options = GenerationOptions(
            prompt=without_arrows(prompt),
            negative=negative,
            size=size,
            seed=seed,
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            schedule=schedule,
            clip_skip=clip_skip,
            hires=large,
            hires_scale=scale,
            denoise=denoise if strength is None else strength,
            count=count,
            lora=lora,
            checkpoint=checkpoint,
            vae=vae,
            style=style,
            preset=preset,
            spoiler=spoiler,
            private=private,
            init=start,
        )
        await paint(interaction, await self._builder.build(actor, options, job_options))

    async def _start(
        self, interaction: discord.Interaction[Any], init: discord.Attachment | None, previous: str | None
    ) -> tuple[Actor, JobOptions, bytes | None]:
        """Return who asks, what the job is made from, and the picture to start from, where there is one."""
        actor = actor_of(interaction)
        if previous is None:
            return actor, JobOptions(), None if init is None else await picture_of(init)
        if init is not None:
            raise RequestError("Both init and previous name a picture to start from: leave one of them out.")
        job, content = await self._history.open(actor, previous)
        return actor, children(job), content
