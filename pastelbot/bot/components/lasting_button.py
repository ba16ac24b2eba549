"""Base of all persistent buttons, which work after any restart."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import discord

from pastelbot.bot.rates import within_rate

PREFIX = "pb:"


class LastingButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"(?!)"):
    """A button whose custom id, `pb:` and then at most 97 characters, says everything that it needs.

    A subclass's `template` has a named group for each parameter of its `__init__`; `readers` turn what a group found
    into that parameter, and a group without a reader is text. Templates only ever grow: buttons that were sent stay for
    ever, and `tests/bot/data/custom_ids.json` has every form. One that `paints` asks for what is charged.
    """

    readers: ClassVar[Mapping[str, Callable[[str], object]]] = {}
    paints: bool = False

    def __init__(
        self,
        custom_id: str,
        label: str,
        *,
        emoji: str | None = None,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        disabled: bool = False,
        row: int | None = None,
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=label, emoji=emoji, style=style, disabled=disabled, custom_id=f"{PREFIX}{custom_id}"
            ),
            row=row,
        )

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Return whether the user has not pressed too many buttons; where they have, it was answered."""
        return await within_rate(interaction)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was clicked."""
        found: dict[str, Any] = {
            name: None if text is None else cls.readers.get(name, str)(text) for name, text in match.groupdict().items()
        }
        return cls(**found)
