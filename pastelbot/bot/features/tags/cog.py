"""`/tags`: search of the tag vocabulary."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import query_choices
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.tags.views import LONGEST_QUERY, page_text, page_view
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.prompt.tags.vocabulary import CATEGORIES
from pastelbot.service.tags.dictionary import Tags


class TagsCog(commands.Cog):
    """The command that searches tags."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags

    @app_commands.command(name="tags")
    @app_commands.describe(query="Words of a tag, or of another name for it", category="Only tags of this kind")
    @app_commands.choices(
        category=[app_commands.Choice(name=name.capitalize(), value=number) for number, name in CATEGORIES.items()]
    )
    @answers_errors
    async def tags(
        self,
        interaction: Interaction,
        query: app_commands.Range[str, 1, LONGEST_QUERY],
        category: int | None = None,
    ) -> None:
        """Search the tags that can be painted, with their other names."""
        page = await self._tags.search(query, category, 0, actor_of(interaction))
        await respond_ephemeral(interaction, page_text(query, category, page), view=page_view(query, category, page))

    @tags.autocomplete("query")
    async def complete_query(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer tags."""
        return await query_choices(interaction, current)
