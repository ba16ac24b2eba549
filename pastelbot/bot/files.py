"""Picture files as Discord attachments."""

import io
from pathlib import Path

import discord
from PIL import Image

from pastelbot.bot.render import alt_text
from pastelbot.records import BeingPainted, Job, Update
from pastelbot.store.jobs.rows import StoredPicture

_REQUEST_BYTES = 24 * 2**20  # Discord takes 25 MiB a request, text included
FILE_BYTES = 10 * 2**20
_USER_COMMENT = 0x9286
_EXIF = 0x8769


def attachments(job: Job, pictures: list[tuple[StoredPicture, Path]], *, limit: int = FILE_BYTES) -> list[discord.File]:
    """Read the pictures from disk, each small enough for a message that holds them all."""
    share = min(limit, _REQUEST_BYTES // max(1, len(pictures)))
    files = []
    for picture, path in pictures:
        data, suffix = _fitted(path.read_bytes(), picture.infotext, limit=share)
        name = f"{'SPOILER_' * job.options.spoiler}pastelbot-{picture.seed}.{suffix}"
        files.append(discord.File(io.BytesIO(data), filename=name, description=alt_text(job.request, picture.seed)))
    return files


def previews(update: Update, jpeg: bytes | None) -> list[discord.File]:
    """Return the half-done picture that goes with an update: none but while the job is being painted, or hidden."""
    if jpeg is None or not isinstance(update, BeingPainted) or update.job.options.spoiler:
        return []
    description = f"Half-done picture, {update.step} of {update.steps} steps"
    return [discord.File(io.BytesIO(jpeg), filename="preview.jpg", description=description)]


def _fitted(png: bytes, infotext: str, *, limit: int) -> tuple[bytes, str]:
    """Return the picture and its suffix: the PNG, or else WebP, lossless if that fits. The infotext goes with it."""
    if len(png) <= limit:
        return png, "png"
    image = Image.open(io.BytesIO(png)).convert("RGB")
    exif = Image.Exif()
    exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + infotext.encode("utf-16-be")
    data = b""
    for options in ({"lossless": True}, {"quality": 95}, {"quality": 80}, {"quality": 50}):
        file = io.BytesIO()
        image.save(file, "WEBP", exif=exif, **options)
        data = file.getvalue()
        if len(data) <= limit:
            break
    return data, "webp"
