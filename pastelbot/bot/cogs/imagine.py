"""`/imagine`: from tags to a queued job."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.answers import answers_errors
from pastelbot.bot.checks import asker_of
from pastelbot.bot.views.actions import submit
from pastelbot.drafting import SAMPLER_CHOICES, Wish
from pastelbot.service.jobs import Service


class ImagineCog(commands.Cog):
    """The command that paints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @app_commands.command(name="imagine")
    @app_commands.describe(
        prompt="What to paint, as danbooru tags: 1girl, red hair, smile",
        negative="What to avoid; left out, the usual list",
        size="portrait, landscape, square, or pixels such as 448x640",
        seed="The same seed and settings give the same picture; left out, a random one",
        steps="Sampling steps",
        cfg="CFG scale: how closely to follow the prompt",
        sampler="How the noise is removed",
        hires="Paint it large in a second pass",
        count="How many pictures",
    )
    @app_commands.choices(sampler=[app_commands.Choice(name=name, value=name) for name in SAMPLER_CHOICES])
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
        hires: bool | None = None,  # noqa: FBT001 - Discord's options are positional
        count: int | None = None,
    ) -> None:
        """Paint a picture from danbooru tags."""
        wish = Wish(
            prompt=prompt,
            negative=negative,
            size=size,
            seed=seed,
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            hires=hires,
            count=count,
        )
        await submit(interaction, await self._service.draft(asker_of(interaction), wish))

    @imagine.autocomplete("size")
    async def complete_size(
        self, _interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        """Offer the named sizes."""
        word = current.strip().lower()
        named = self._service.settings.sizes.items()
        choices = [app_commands.Choice(name=f"{name} ({size.first})", value=name) for name, size in named]
        return [choice for choice in choices if word in choice.name.lower()][:25]
