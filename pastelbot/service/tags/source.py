"""Source of a tag list: a file or an address."""

import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import BinaryIO

from pastelbot.errors import PathError, TagFileError
from pastelbot.paths import local_path
from pastelbot.prompt.tags.vocabulary import LARGEST_FILE

_TIMEOUT_SECONDS = 30
_PIECE = 2**16


def read_source(source: str, on_progress: Callable[[int], None] = lambda _bytes: None) -> bytes:
    """Return the content of a file, or of what a http(s) address leads to; raise TagFileError in words."""
    try:
        if source.lower().startswith(("http://", "https://")):
            request = urllib.request.Request(source, headers={"User-Agent": "pastelbot"})  # noqa: S310 - checked above
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return _read(answer, source, on_progress)
        if "://" in source:
            raise TagFileError(
                f"{source} cannot be read: give a file, or an address that begins with http:// or https://."
            )
        with local_path(source).open("rb") as file:
            return _read(file, source, on_progress)
    except PathError as error:
        raise TagFileError(str(error)) from error
    except FileNotFoundError as error:
        raise TagFileError(f"There is no file {source}.") from error
    except IsADirectoryError as error:
        raise TagFileError(f"{source} is a folder: give the file inside it.") from error
    except urllib.error.HTTPError as error:
        error.close()
        raise TagFileError(f"{source} cannot be had: the server answers {error.code} {error.reason}.") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TagFileError(f"{source} cannot be read: {reason}.") from error


def _read(file: BinaryIO, source: str, on_progress: Callable[[int], None]) -> bytes:
    pieces, size = [], 0
    while piece := file.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        on_progress(size)
        if size > LARGEST_FILE:
            raise TagFileError(f"{source} is larger than {LARGEST_FILE // 2**20} MiB: that is not a list of tags.")
    return b"".join(pieces)
