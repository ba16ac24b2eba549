"""Painting one request with an engine of its own, or by a bot, and what the pictures show."""

import io

from PIL import Image

from pastelbot.diffusion.engine.engine import Engine, paint_alone


def paint(checkpoint, request, on_progress=None, **engine):
    """Paint a request with an engine of its own and return the pictures; raises what a worker would report."""
    return paint_alone(Engine(checkpoint, **engine), request, on_progress).pictures


async def painted(studio, result):
    """Wait for the picture in the message that answered a command; return its bytes."""
    message = await studio.says("-# seed", result.response.id)
    return await message.attachments[0].read()


def shown_pixels(data):
    """Return the size and the pixels of a picture file."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size, picture.tobytes()
