"""Names of earlier pictures as users choose or paste them: `0123456789ab:2`, or the link or number of a message."""

import re
from typing import NamedTuple

_LINK = re.compile(r"(?:https?://\S+/channels/\d+/\d+/)?(\d{15,20})")
_CHOSEN = re.compile(r"([0-9a-f]{12})(?::(\d{1,2}))?")


class PictureName(NamedTuple):
    """The job of a picture, or the message that shows it; `number` counts the job's pictures from 0."""

    job_id: str | None = None
    message_id: int | None = None
    number: int = 0


def picture_name(job_id: str, number: int) -> str:
    """Return the name of a job's picture; `number` counts from 0, and the name from 1."""
    return f"{job_id}:{number + 1}"


def read_picture_name(text: str) -> PictureName | None:
    """Return what a name stands for; None where it is none."""
    text = text.strip()
    if chosen := _CHOSEN.fullmatch(text):
        return PictureName(job_id=chosen[1], number=int(chosen[2] or 1) - 1)
    link = _LINK.fullmatch(text)
    return PictureName(message_id=int(link[1])) if link is not None else None
