"""The cap on infotexts: whatever one comes from, it is refused by its length before anything looks at what it says."""

from pathlib import Path

from pastelbot.errors import LimitError

MAX_INFOTEXT = 64 * 2**10  # characters
_MOST_BYTES = 4  # of a character in UTF-8


def capped(text: str, *, what: str = "The infotext") -> str:
    """Return an infotext as it is; raises LimitError where it is longer than 64 Ki characters.

    `what` is its name in the error.
    """
    if len(text) > MAX_INFOTEXT:
        raise LimitError(f"{what} has {len(text):,} characters; the cap is {MAX_INFOTEXT:,}.")
    return text


def read_capped(path: Path, *, what: str) -> str:
    """Return the infotext of a text file, of which no more than the cap is read; raises as `capped`, and OSError."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES * MAX_INFOTEXT + 1)
    return capped(content.decode("utf-8"), what=what)
