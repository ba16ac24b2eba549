"""Writing a source as a safetensors file: streamed, under another name until it is whole."""

import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from pastelbot.diffusion.weights.tensor_sources import DTYPES, TensorInfo, TensorSource
from pastelbot.errors import WorkshopError
from pastelbot.formats.hub_download import size_text

# Receives what is being done, the bytes done and the bytes in all.
Progress = Callable[[str, int, int], None]

_SPARE_BYTES = 2**20
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def silent(_what: str, _done: int, _total: int) -> None:
    """Ignore progress."""


def write(
    source: TensorSource,
    path: Path,
    *,
    inputs: Iterable[Path] = (),
    metadata: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> None:
    """Write a source to a safetensors file; until all is there, nothing has the final name.

    Raises WorkshopError where `path` is one of the inputs, or has no space or no right to be written, and whatever
    reading the source raises.
    """
    check_output(path, inputs)
    order = sorted(source.entries, key=lambda name: (-source.entries[name].dtype.itemsize, name))
    header = _header(source.entries, order, metadata or {})
    total = sum(entry.size for entry in source.entries.values())
    check_space(path, len(header) + total)
    with _replacing(path) as file:
        file.write(header)
        done = 0
        for name in order:
            _write_tensor(file, source, name)
            done += source.entries[name].size
            progress("Writing", done, total)


def check_output(path: Path, inputs: Iterable[Path]) -> None:
    """Raise a WorkshopError where the output is an input, inside one, a folder, or in no folder."""
    target = path.resolve()
    for used in (item.resolve() for item in inputs):
        same = target.exists() and used.exists() and target.samefile(used)
        if same or used in target.parents or target in used.parents:
            raise WorkshopError(f"The output {path} is one of the inputs. Choose another name.")
    if path.is_dir():
        raise WorkshopError(f"The output {path} is a folder.")
    if not target.parent.is_dir():
        raise WorkshopError(f"The output's folder {target.parent} does not exist.")


def check_space(path: Path, size: int) -> None:
    """Raise a WorkshopError where the folder of a path has no room for so many bytes."""
    free = shutil.disk_usage(path.resolve().parent).free
    if free < size + _SPARE_BYTES:
        raise WorkshopError(
            f"{path} needs {size_text(size)}, but only {size_text(free)} are free there. Nothing was written."
        )


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a temporary file that takes the final name when the block ends well, and vanishes when it does not."""
    part = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.resolve().parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            part = Path(file.name)
            yield file  # type: ignore[misc]  # the wrapper behaves as the file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise WorkshopError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _header(entries: Mapping[str, TensorInfo], order: list[str], metadata: Mapping[str, str]) -> bytes:
    content: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
    offset = 0
    for name in order:
        entry = entries[name]
        end = offset + entry.size
        content[name] = {"dtype": _NAMES[entry.dtype], "shape": list(entry.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write_tensor(file: BinaryIO, source: TensorSource, name: str) -> None:
    tensor = source.read(name)
    entry = source.entries[name]
    if (tensor.dtype, tuple(tensor.shape)) != (entry.dtype, entry.shape):
        raise AssertionError(f"{source.label} promised {entry} for {name} and gave {tensor.dtype} {tensor.shape}")
    file.write(_as_bytes(tensor))


def _as_bytes(tensor: Tensor) -> memoryview:
    """Return a tensor's numbers as they lie in a safetensors file."""
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data
