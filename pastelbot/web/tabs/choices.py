"""Values that the page offers for options whose choices depend on the bot and on the user."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pastelbot.options.option import Completion, Option
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.services import Services


async def choices_of(services: Services, visitor: Visitor, option: Option[Any]) -> Sequence[str]:
    """Return the values to offer to a user. Any: each option has a type of its own."""
    names = services.models.names
    match option.complete:
        case Completion.SIZE:
            return tuple(services.settings.sizes)
        case Completion.CHECKPOINT:
            return tuple(names.checkpoints)
        case Completion.VAE:
            return tuple(names.vaes)
        case Completion.LORA:
            return tuple(await asyncio.to_thread(lambda: tuple(names.loras.files)))  # which may list a folder
        case Completion.PRESET:
            return tuple(dict.fromkeys(await services.presets.names(visitor.actor)))
        case None:
            return ()
