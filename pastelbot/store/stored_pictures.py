"""Pictures on disk as the rows of jobs, plans and pictures speak of them: by names made of their content."""

import hashlib
from dataclasses import dataclass

from pastelbot.formats.pictures import suffix_of
from pastelbot.records import Picture


@dataclass(frozen=True, kw_only=True)
class StoredPicture:
    """A picture on disk; `rating` means what `Picture.rating` means.

    `file` is relative to the pictures folder; None: it was there too long and was swept away. `size` is its bytes.
    """

    number: int
    file: str | None
    size: int
    seed: int
    width: int
    height: int
    infotext: str
    rating: str | None = None


def content_name(content: bytes) -> str:
    """Return the name of a picture file with that content, in two levels of folders: `ab/cd/<sha256>.png`."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest}.{suffix_of(content)}"


def picture_file(number: int, picture: Picture) -> StoredPicture:
    """Return where the picture belongs on disk, by what is in it: the same bytes are one file."""
    return StoredPicture(
        number=number,
        file=content_name(picture.png),
        size=len(picture.png),
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        infotext=picture.infotext,
        rating=picture.rating,
    )
