"""`/model`: the checkpoints, and the choice of the default one."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import checkpoint_choices
from pastelbot.bot.context import Interaction, PastelClient
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.service.models.models import ModelLine, Models


class ModelCog(commands.GroupCog, group_name="model", group_description="The checkpoints that paint."):
    """Commands about checkpoints."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @app_commands.command(name="list")
    @answers_errors
    async def show(self, interaction: Interaction) -> None:
        """Show the checkpoints, the VAEs and which of them is usual."""
        await respond_ephemeral(interaction, _models_text(self._models.lines, self._models.names.vaes))

    @app_commands.command(name="use")
    @app_commands.describe(name="What paints from now on where no checkpoint is named")
    @app_commands.autocomplete(name=checkpoint_choices)
    @answers_errors
    async def use(self, interaction: Interaction, name: str) -> None:
        """Choose what usually paints, for everybody on this bot; needs Manage Server."""
        before = await self._models.use(actor_of(interaction), name)
        now = plain(name)
        if before == name:
            await respond_ephemeral(interaction, f"**{now}** paints already.")
            return
        await respond_ephemeral(
            interaction,
            f"**{now}** paints from now on, in place of {plain(before)}: for everybody, on all servers of "
            "this bot, unless another is named. What is queued already keeps its checkpoint.",
        )


def _models_text(lines: list[ModelLine], vaes: tuple[str, ...]) -> str:
    """List the checkpoints, the usual one marked, and the VAEs."""
    rows = []
    for line in lines:
        vae = f", VAE {plain(line.vae)}" if line.vae else ""
        row = f"**{plain(line.name)}**: {plain(line.source)}{vae}"
        rows.append(f"🎨 {row} (usual)" if line.in_use else f"- {row}")
    if vaes:
        rows.append(f"VAEs: {', '.join(map(plain, vaes))}")
    text = "\n".join(rows)
    return text if len(text) <= 2000 else f"{text[:1990].rpartition(chr(10))[0]}\n..."


async def setup(bot: PastelClient) -> None:
    """Add `/model`."""
    await bot.add_cog(ModelCog(bot.services.models))
