"""Uploads of pictures, in a smaller form each time Discord finds them too large."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import discord
import structlog

from pastelbot.bot.attachments import FILE_BYTES, FORMS, attachments
from pastelbot.records import Job
from pastelbot.store.stored_pictures import StoredPicture

Sent = TypeVar("Sent")

_TOO_LARGE_STATUS = 413
_TOO_LARGE_CODE = 40005  # comes with other statuses, too

log = structlog.get_logger(__name__)


class TooLargeError(Exception):
    """Discord finds a picture too large, as small as it can be made."""


async def upload(
    job: Job,
    pictures: list[tuple[StoredPicture, Path]],
    limit: int,
    send: Callable[[list[discord.File]], Awaitable[Sent]],
) -> Sent:
    """Send pictures as PNG, or else as lossless WebP, or else as WebP of three qualities; return what `send` returns.

    Each form is also made to fit `limit` bytes, which halves. Raises TooLargeError after the smallest form.
    """
    for form in range(FORMS):
        files = await asyncio.to_thread(attachments, job, pictures, limit=limit, form=form)
        try:
            return await send(files)
        except discord.HTTPException as error:
            if error.status != _TOO_LARGE_STATUS and error.code != _TOO_LARGE_CODE:
                raise
        limit = min(limit, FILE_BYTES + 1) // 2
        log.warning("pictures too large", job=job.id, form=form, next_limit=limit)
    raise TooLargeError
