"""One module or folder for each feature: its commands, views and texts. Each registers itself with `setup(bot)`."""

from collections.abc import Awaitable
from typing import Protocol

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features import (
    admin,
    describe,
    gallery,
    grid,
    help,
    imagine,
    model,
    personal_data,
    presets,
    quota,
    recreate,
    remix,
    reviews,
    settings,
    status,
    tags,
    web,
)


class Feature(Protocol):
    """A module that adds its commands, menus and lasting buttons to the bot."""

    def setup(self, bot: PastelClient) -> Awaitable[None]:
        """Add them."""


ALL: tuple[Feature, ...] = (
    imagine,
    grid,
    presets,
    remix,
    recreate,
    describe,
    settings,
    status,
    help,
    quota,
    model,
    tags,
    gallery,
    reviews,
    personal_data,
    web,
    admin,
)
