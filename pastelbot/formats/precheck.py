"""Check of a checkpoint before it is loaded: without torch, in milliseconds.

The bot process uses it at its start, so that a wrong path or a file of another kind is told at once. Whatever needs
the weights themselves is found by `checkpoint.loading` in the worker.
"""

import json
import struct
from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.exported import check_export, read_manifest
from pastelbot.formats.hub import is_hub_name
from pastelbot.formats.identify import SD1, Shapes, identify

_LONGEST_HEADER = 100 * 2**20


def check_reference(reference: str) -> None:
    """Raise the CheckpointError that loading this reference would end in, as far as it can be seen from outside."""
    path = Path(reference).expanduser()
    if path.is_dir():
        if (manifest := read_manifest(path)) is not None:
            check_export(path, manifest)
        elif not (path / "model_index.json").is_file():
            raise CheckpointError(f"The folder {path} is not a diffusers checkpoint: it has no model_index.json.")
    elif path.is_file():
        _check_file(path)
    elif not is_hub_name(reference):
        raise CheckpointError(
            f"The checkpoint {reference!r} is not a file or folder here: set checkpoint.path to one, to a hub name "
            'such as andite/pastel-mix, or to "bundled".'
        )


def read_shapes(path: Path) -> Shapes:
    """Read the names and shapes of a safetensors file's tensors from its header; raises CheckpointError."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            if start == b"version ":
                raise ValueError("it is a pointer of Git LFS to the file, not the file itself")
            if not start:
                raise ValueError("it is empty")
            (length,) = struct.unpack("<Q", start)
            if length > _LONGEST_HEADER:
                raise ValueError("its header is too long")
            header = json.loads(file.read(length))
        size = path.stat().st_size - 8 - length
        shapes = {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        missing = int(end) - size
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file: {error}. Download it again.") from error
    if missing > 0:
        raise CheckpointError(f"{path} is cut short: {missing:,} bytes are missing. Download it again.")
    return shapes


def _check_file(path: Path) -> None:
    if path.suffix != ".safetensors":
        return
    kind = identify(read_shapes(path))
    if kind != SD1:
        raise CheckpointError(f"{path} is {kind or 'an unknown kind of file'}, not {SD1}.")
