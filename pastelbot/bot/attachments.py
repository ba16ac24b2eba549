"""Files that people attach."""

import discord

from pastelbot.errors import LimitError, RequestError


async def content_of(file: discord.Attachment, *, cap: int) -> bytes:
    """Return an attachment's content; raises RequestError where it is larger than `cap` bytes or gone."""
    if file.size > cap:
        raise LimitError(f"The file has {file.size:,} bytes; the cap is {cap:,}.")
    try:
        return await file.read()
    except discord.HTTPException as error:
        raise RequestError("Discord does not hand the file out any more: attach it again.") from error
