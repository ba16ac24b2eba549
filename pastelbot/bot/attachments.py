"""Attachments: reading the files that users upload."""

import asyncio

import discord

from pastelbot.errors import LimitError, RequestError
from pastelbot.formats import pictures

_PATIENCE = 2.2  # seconds, of the three in which Discord wants an answer
_LARGEST_SHOWN = 25 * 2**20  # bytes of a picture of which only the infotext is read


async def content_of(file: discord.Attachment, *, cap: int) -> bytes:
    """Return an attachment's content; raises RequestError where it is larger than `cap` bytes or gone."""
    if file.size > cap:
        raise LimitError(f"The file has {file.size:,} bytes; the cap is {cap:,}.")
    try:
        return await file.read()
    except discord.HTTPException as error:
        raise RequestError("Discord no longer hands the file out: attach it again.") from error


async def picture_of(file: discord.Attachment) -> bytes:
    """Return the content of a picture to start from, in time for an answer; raises RequestError."""
    try:
        async with asyncio.timeout(_PATIENCE):
            content = await content_of(file, cap=pictures.MAX_FILE)
    except TimeoutError as error:
        raise RequestError("Discord hands the file out too slowly: try again, or attach a smaller one.") from error
    await asyncio.to_thread(pictures.size_of, content)
    return content


async def infotext_of(file: discord.Attachment, *, cap: int = _LARGEST_SHOWN, patience: float = _PATIENCE) -> str:
    """Return the infotext of a picture, within so many seconds; raises RequestError.

    Files from strangers are taken apart in a thread, as one may be made to take long.
    """
    try:
        async with asyncio.timeout(patience):
            content = await content_of(file, cap=cap)
            return await asyncio.to_thread(pictures.read_infotext, content)
    except TimeoutError as error:
        raise RequestError("Discord hands the file out too slowly: try again, or paste the infotext.") from error
