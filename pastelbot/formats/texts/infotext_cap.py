"""The cap on infotexts: whatever one comes from, it is refused by its length before anything looks at what it says."""

from pathlib import Path

from pastelbot.errors import LimitError, RequestError
from pastelbot.formats.texts.decoding import decoded

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
    """Return the infotext of a text file, of which no more than the cap is read.

    Raises as `capped_text`, and OSError.
    """
    with path.open("rb") as file:
        return capped_text(file.read(_MOST_BYTES * MAX_INFOTEXT + 1), what=what)


def capped_text(content: bytes, *, what: str) -> str:
    """Return the infotext in a text file's content; raises LimitError as `capped`, and RequestError for other files."""
    if len(content) > _MOST_BYTES * MAX_INFOTEXT:
        raise LimitError(f"{what} has more than {MAX_INFOTEXT:,} characters, which is the cap.")
    try:
        return capped(decoded(content), what=what)
    except UnicodeDecodeError as error:
        raise RequestError(f"{what} is not text in UTF-8 or UTF-16: save it as UTF-8.") from error
