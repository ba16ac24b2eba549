"""Attachments: reading the files that users upload, and the pictures of jobs as files to send."""

import asyncio
import io
from pathlib import Path
from typing import Any

import discord
from PIL import Image

from pastelbot.bot.render import alt_text
from pastelbot.errors import LimitError, RequestError
from pastelbot.formats import pictures
from pastelbot.records import BeingPainted, Job, Update
from pastelbot.store.picture_files import read_picture
from pastelbot.store.stored_pictures import StoredPicture

FILE_BYTES = 10 * 2**20  # of a file that is sent
_WEBP: tuple[dict[str, Any], ...] = ({"lossless": True}, {"quality": 95}, {"quality": 80}, {"quality": 50})
FORMS = 1 + len(_WEBP)  # that a picture can be sent in, from PNG to the smallest
_REQUEST_BYTES = 24 * 2**20  # Discord takes 25 MiB a request, text included
_PATIENCE = 2.2  # seconds, of the three in which Discord wants an answer
_LARGEST_SHOWN = 25 * 2**20  # bytes of a picture of which only the infotext is read
_TEXT_SUFFIX = ".txt"
_USER_COMMENT = 0x9286
_EXIF = 0x8769


def _picture_in(message: discord.Message) -> discord.Attachment | None:
    """Return the first picture that is attached to a message."""
    return next((file for file in message.attachments if (file.content_type or "").startswith("image/")), None)


def infotext_file_in(message: discord.Message) -> discord.Attachment | None:
    """Return the first attachment of a message that can hold an infotext: a picture, or else a text file."""
    texts = (file for file in message.attachments if file.filename.lower().endswith(_TEXT_SUFFIX))
    return _picture_in(message) or next(texts, None)


def first_picture(message: discord.Message) -> discord.Attachment:
    """Return the first picture of a message; raises RequestError where it has none."""
    picture = _picture_in(message)
    if picture is None:
        raise RequestError("There is no picture in this message: choose one that has a picture attached.")
    return picture


async def content_of(file: discord.Attachment, *, cap: int) -> bytes:
    """Return an attachment's content; raises RequestError where it is larger than `cap` bytes or gone."""
    if file.size > cap:
        raise LimitError(f"The file has {file.size:,} bytes; the cap is {cap:,}.")
    try:
        return await file.read()
    except discord.HTTPException as error:
        raise RequestError("Discord no longer hands the file out: attach it again.") from error


async def picture_of(file: discord.Attachment, *, what: str = pictures.START) -> bytes:
    """Return the content of a picture to start from, in time for an answer; raises RequestError.

    `what` is the picture's name in errors.
    """
    try:
        async with asyncio.timeout(_PATIENCE):
            content = await content_of(file, cap=pictures.MAX_FILE)
    except TimeoutError as error:
        raise RequestError("Discord hands the file out too slowly: try again, or attach a smaller one.") from error
    await asyncio.to_thread(pictures.size_of, content, what=what)
    return content


async def infotext_of(file: discord.Attachment, *, cap: int = _LARGEST_SHOWN, patience: float = _PATIENCE) -> str:
    """Return the infotext of a picture or a text file, within so many seconds; raises RequestError.

    Files from strangers are taken apart in a thread, as one may be made to take long.
    """
    try:
        async with asyncio.timeout(patience):
            content = await content_of(file, cap=cap)
            return await asyncio.to_thread(pictures.read_infotext, content)
    except TimeoutError as error:
        raise RequestError("Discord hands the file out too slowly: try again, or paste the infotext.") from error


def attachments(
    job: Job, stored: list[tuple[StoredPicture, Path]], *, limit: int = FILE_BYTES, form: int = 0
) -> list[discord.File]:
    """Read the pictures from disk, each in that form (0: PNG) or a smaller one, so that a message can hold them all."""
    share = min(limit, _REQUEST_BYTES // max(1, len(stored)))
    files = []
    for picture, path in stored:
        data, suffix = _fitted(read_picture(path), picture.infotext, limit=share, form=form)
        name = f"{'SPOILER_' * job.options.spoiler}pastelbot-{picture.seed}.{suffix}"
        files.append(
            discord.File(
                io.BytesIO(data),
                filename=name,
                description=alt_text(job.request.of_picture(picture.number), picture.seed),
            )
        )
    return files


def previews(update: Update, jpeg: bytes | None) -> list[discord.File]:
    """Return the half-done picture that goes with an update: none but while the job is being painted, or hidden."""
    if jpeg is None or not isinstance(update, BeingPainted) or update.job.options.spoiler:
        return []
    description = f"Half-done picture, {update.step} of {update.steps} steps"
    return [discord.File(io.BytesIO(jpeg), filename="preview.jpg", description=description)]


def _fitted(png: bytes, infotext: str, *, limit: int, form: int) -> tuple[bytes, str]:
    """Return the picture and its suffix: the PNG, or else WebP, lossless if that fits. The infotext goes with it."""
    if form == 0 and len(png) <= limit:
        return png, "png"
    image = Image.open(io.BytesIO(png)).convert("RGB")
    exif = Image.Exif()
    exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + infotext.encode("utf-16-be")
    data = b""
    for options in _WEBP[max(0, form - 1) :]:
        file = io.BytesIO()
        image.save(file, "WEBP", exif=exif, **options)
        data = file.getvalue()
        if len(data) <= limit:
            break
    return data, "webp"
