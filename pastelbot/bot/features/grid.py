"""`/grid`: many pictures on one sheet, each with one or two settings changed."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import prompt_choices
from pastelbot.bot.components import confirmation
from pastelbot.bot.components.generation_options import generation_options
from pastelbot.bot.context import EDITABLE, PAINTS, Interaction, PastelClient
from pastelbot.bot.responses import answers_errors
from pastelbot.options import GenerationOptions
from pastelbot.options.reading import read_grid
from pastelbot.prompt.tags.completion import without_arrows
from pastelbot.rules import grids
from pastelbot.service.requests.building import RequestBuilder

_AXES = [app_commands.Choice(name=kind.title, value=name) for name, kind in grids.KINDS.items()]


class GridCog(commands.Cog):
    """The command that compares."""

    def __init__(self, builder: RequestBuilder) -> None:
        self._builder = builder

    @app_commands.command(name="grid", extras={EDITABLE: True, PAINTS: True})
    @app_commands.describe(
        prompt="What to paint; flags such as --denoise 0.5 work here too",
        x="What changes from column to column",
        x_values="Its values: 5, 7, 9 or 1-5 or 20-40 (+10); for Prompt S/R the words and what takes their place",
        y="What changes from row to row; left out, there is one row",
        y_values="Its values",
    )
    @app_commands.choices(x=_AXES, y=_AXES)
    @app_commands.autocomplete(prompt=prompt_choices)
    @answers_errors
    @generation_options(
        *("negative", "size", "seed", "steps", "cfg", "sampler", "hires", "checkpoint", "preset", "spoiler", "private"),
        seed="The seed of all pictures; left out, a random one",
        hires="Paint them large in a second pass; left out, off",
    )
    async def grid(
        self,
        interaction: Interaction,
        prompt: str,
        x: str,
        x_values: str,
        y: str | None = None,
        y_values: str | None = None,
        *,
        options: GenerationOptions,
    ) -> None:
        """Paint a sheet of pictures that differ in one or two settings, to compare them."""
        grid = read_grid(x, x_values, y, y_values)
        options = options.replace(prompt=without_arrows(prompt))
        await confirmation.ask(interaction, await self._builder.build(actor_of(interaction), options, grid=grid))


async def setup(bot: PastelClient) -> None:
    """Add `/grid`."""
    await bot.add_cog(GridCog(bot.services.builder))
