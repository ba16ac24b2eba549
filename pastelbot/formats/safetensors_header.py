"""The header of a safetensors file, without torch: what tensors there are, what it says of itself, where they begin.

A file is the length of its header (8 bytes, little-endian), the header in JSON, then the tensors.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.layout.checking import Shapes

_LENGTH_BYTES = 8
_LONGEST = 100 * 2**20
_METADATA = "__metadata__"


@dataclass(frozen=True, kw_only=True)
class SafetensorsHeader:
    """A file's header: JSON of each tensor by name (`dtype`, `shape`, `data_offsets`), and metadata.

    `start` is the byte at which the tensors begin, from which their offsets count.
    """

    tensors: Mapping[str, Any]
    shapes: Shapes
    metadata: Mapping[str, str]
    start: int


def read_header(path: Path) -> SafetensorsHeader:
    """Read a file's header, and check that the file is as long as it says; raises CheckpointError."""
    if not is_safetensors(path):
        raise CheckpointError(f"{path} is a file of PyTorch, not of safetensors.")
    try:
        with path.open("rb") as file:
            header = _parse(file)
        end = max((entry["data_offsets"][1] for entry in header.tensors.values()), default=0)
        missing = int(end) - (path.stat().st_size - header.start)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file: {error}. Download it again.") from error
    if missing > 0:
        raise CheckpointError(f"{path} is cut short: {missing:,} bytes are missing. Download it again.")
    return header


def header_end(file: BinaryIO) -> int:
    """Return the byte at which the tensors of an open file begin."""
    return _LENGTH_BYTES + int.from_bytes(file.read(_LENGTH_BYTES), "little")


def _parse(file: BinaryIO) -> SafetensorsHeader:
    start = file.read(_LENGTH_BYTES)
    (length,) = struct.unpack("<Q", start)
    if length > _LONGEST:
        raise ValueError("its header is too long")
    content = parse_json(file.read(length))
    metadata = content.pop(_METADATA, None) or {}
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is not a table")  # noqa: TRY004 - of the file, not of an argument
    shapes = {name: tuple(entry["shape"]) for name, entry in content.items()}
    return SafetensorsHeader(tensors=content, shapes=shapes, metadata=metadata, start=_LENGTH_BYTES + length)
