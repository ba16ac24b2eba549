"""Embedding cards: pictures in whose text and pixels the webui puts an embedding. Torch-free: the bot lists folders."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from pastelbot.errors import CheckpointError
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.texts.embedding_pixels import hidden_embedding

SUFFIXES = (".png", ".webp")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEY = b"sd-ti-embedding\0"
_LONGEST = 16 * 2**20  # bytes; 75 vectors of 768 numbers are 2 MB
_MOST_CHUNKS = 10_000
_NUMBERS = "TORCHTENSOR"  # the webui's name of an array's list of numbers


def is_card(path: Path) -> bool:
    """Return whether a file is a picture that holds an embedding; a picture beside an embedding mostly is a preview."""
    try:
        return path.is_file() and (_text(path) is not None or hidden_embedding(path) is not None)
    except OSError:
        return False


def read_card(path: Path) -> Mapping[str, Any]:
    """Return what an embedding file of PyTorch would hold, with lists for tensors; raises CheckpointError."""
    try:
        text = _text(path)
        found = hidden_embedding(path) if text is None else base64.b64decode(text, validate=True)
        if found is None:
            raise CheckpointError(f"{path} is a picture without an embedding in it.")
        content = parse_json(found.decode())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} holds a damaged embedding: {error}. Download it again.") from error
    if not isinstance(content, dict) or not isinstance(content.get("string_to_param"), dict):
        raise CheckpointError(f"{path} holds a damaged embedding: it has no string_to_param. Download it again.")
    arrays = {str(name): _numbers(value) for name, value in content["string_to_param"].items()}
    return {"string_to_param": arrays}


def _numbers(value: object) -> object:
    return value.get(_NUMBERS) if isinstance(value, dict) else None


def _text(path: Path) -> bytes | None:
    """Return the text of the chunk with an embedding; None where there is none."""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return None
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if len(head) < 8 or kind == b"IEND":
                return None
            if kind == b"tEXt" and (found := _of_chunk(file, length)) is not None:
                return found
            file.seek(length + 4, 1)  # the check sum follows
    return None


def _of_chunk(file: IO[bytes], length: int) -> bytes | None:
    """Return an embedding's text; else None, with the file where it was."""
    start = file.tell()
    if length <= _LONGEST and file.read(min(length, len(_KEY))) == _KEY:
        return file.read(length - len(_KEY))
    file.seek(start)
    return None
