"""The forms behind the Seed and Edit buttons."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord

from pastelbot.bot.answers import answers_errors
from pastelbot.drafting import read_seed
from pastelbot.records import GenerationRequest
from pastelbot.service.jobs import random_seed

Submit = Callable[[discord.Interaction[Any], GenerationRequest], Awaitable[None]]

_TEXT = 4000


class _RequestModal(discord.ui.Modal):
    """A form that ends in a new request."""

    def __init__(self, title: str, request: GenerationRequest, submit: Submit) -> None:
        super().__init__(title=title)
        self._request = request
        self._submit = submit

    def _field(  # one text field with its label
        self, name: str, custom_id: str, default: str, *, long: bool = False, required: bool = False
    ) -> discord.ui.TextInput[Any]:
        style = discord.TextStyle.paragraph if long else discord.TextStyle.short
        limit = _TEXT if long else 40
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=custom_id, style=style, default=default[:limit], required=required, max_length=limit
        )
        self.add_item(discord.ui.Label(text=name, component=field))
        return field


class SeedModal(_RequestModal):
    """Asks for a seed; everything else stays."""

    def __init__(self, request: GenerationRequest, submit: Submit) -> None:
        super().__init__("Paint with this seed", request, submit)
        self.seed = self._field("Seed (empty: a random one)", "seed", str(request.seed))

    @answers_errors
    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Paint with the typed seed."""
        await self._submit(interaction, self._request.replace(seed=_seed(self.seed.value)))


class EditModal(_RequestModal):
    """Asks for prompt, negative prompt and seed."""

    def __init__(self, request: GenerationRequest, submit: Submit) -> None:
        super().__init__("Edit and paint again", request, submit)
        self.prompt = self._field("Prompt", "prompt", request.prompt, long=True, required=True)
        self.negative = self._field("Negative prompt", "negative", request.negative_prompt, long=True)
        self.seed = self._field("Seed (empty: a random one)", "seed", str(request.seed))

    @answers_errors
    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Paint what was typed."""
        changed = self._request.replace(
            prompt=self.prompt.value.strip(),
            negative_prompt=self.negative.value.strip(),
            seed=_seed(self.seed.value),
        )
        await self._submit(interaction, changed)


def _seed(text: str) -> int:
    seed = read_seed(text)
    return random_seed() if seed is None else seed
