"""Weights that are read one tensor at a time: files, folders, and whatever operations make of them.

An operation is a TensorSource over other TensorSources: it knows the names, formats and shapes of its result
beforehand and computes each tensor on demand. So a whole recipe runs in one pass, with a few tensors in memory.
"""

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from pastelbot.diffusion.weights.chunked import is_finite
from pastelbot.diffusion.weights.pickles import load_plain, read_pickled, weights_in
from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.identify import CHECKPOINTS, SD1_VAE, identify, kind_of_pickle
from pastelbot.formats.layout.tables import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX
from pastelbot.formats.precheck import check_shapes
from pastelbot.formats.safetensors_header import read_header

SAFE_SUFFIX = ".safetensors"
_LEAST_MAPPED = 1 << 20  # bytes

# The safetensors format's names.
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


# What checkpoints that are built otherwise may look like.
_CHECKPOINT_LIKE = (*CHECKPOINTS, None, SD1_VAE, "a text encoder")


_QUANTISED = {torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128}


@dataclass(frozen=True)
class TensorInfo:
    """Format and shape of a tensor, known before it is read."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


class TensorSource(Protocol):
    """Tensors by name, each read or computed when asked for."""

    @property
    def label(self) -> str:
        """Return its name in errors."""

    @property
    def entries(self) -> Mapping[str, TensorInfo]:
        """Return the entries by name."""

    def read(self, name: str) -> Tensor:
        """Return one tensor, as its entry says; raises CheckpointError for NaN and damage."""


class MemorySource:
    """Tensors that are in memory."""

    def __init__(self, tensors: Mapping[str, Tensor], label: str) -> None:
        self._tensors = tensors
        self.label = label
        self.entries: Mapping[str, TensorInfo] = {
            name: TensorInfo(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()
        }

    def read(self, name: str) -> Tensor:
        """Return one tensor; raises CheckpointError where it has NaN or infinity."""
        return check_finite(self._tensors[name], name, self.label)


class MergedSource:
    """Several sources as one; of equal names the last counts."""

    def __init__(self, label: str, *sources: TensorSource) -> None:
        self.label = label
        self._owners = {name: source for source in sources for name in source.entries}
        self.entries: Mapping[str, TensorInfo] = {name: owner.entries[name] for name, owner in self._owners.items()}

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        return self._owners[name].read(name)


class SafetensorsSource:
    """A safetensors file. Its tensors are read when asked for; mapped ones take memory from when they are used on."""

    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self.path = path
        header = read_header(path)
        self.metadata, self._start = header.metadata, header.start
        parsed = {name: _parse(path, name, raw) for name, raw in header.tensors.items()}
        self.entries: Mapping[str, TensorInfo] = {name: entry for name, (entry, _offset) in parsed.items()}
        self._offsets = {name: offset for name, (_entry, offset) in parsed.items()}

    def read(self, name: str) -> Tensor:
        """Return one tensor; raises CheckpointError where it has NaN or infinity, or the file shrank."""
        return check_finite(self.read_unchecked(name), name, self.label)

    def mapped(self, name: str) -> Tensor:
        """Return one tensor as it is, in a mapping of its own: what it takes is given back with it.

        Writing into it changes memory, not the file. Small ones are read, as a process has 65,530 mappings by default.
        """
        entry, offset = self.entries[name], self._start + self._offsets[name]
        if entry.size < _LEAST_MAPPED or offset % entry.dtype.itemsize:
            return self.read_unchecked(name)
        page = offset - offset % mmap.ALLOCATIONGRANULARITY
        try:
            with self.path.open("rb") as file:
                memory = mmap.mmap(file.fileno(), offset - page + entry.size, offset=page, access=mmap.ACCESS_COPY)
        except (OSError, ValueError):  # a file system that maps nothing
            return self.read_unchecked(name)
        count = math.prod(entry.shape)
        return torch.frombuffer(memory, dtype=entry.dtype, count=count, offset=offset - page).reshape(entry.shape)

    def read_unchecked(self, name: str) -> Tensor:
        """Return one tensor as it is."""
        entry = self.entries[name]
        data = torch.empty(entry.size, dtype=torch.uint8)
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self._start + self._offsets[name])
                view, done = data.numpy().data, 0
                while done < entry.size:
                    count = file.readinto(view[done:])
                    if not count:
                        raise CheckpointError(f"{self.path} became shorter while it was read.")
                    done += count
        except OSError as error:
            raise CheckpointError(f"{self.path} cannot be read: {error.strerror}.") from error
        return data.view(entry.dtype).reshape(entry.shape)


def check_finite(tensor: Tensor, name: str, label: str) -> Tensor:
    """Return the tensor; raises CheckpointError where it has NaN or infinity. Schedules, without a dot, may."""
    if "." in name and not is_finite(tensor):
        raise CheckpointError(f"{label} has NaN or infinite numbers in {name}. Use an undamaged file.")
    return tensor


def open_file(path: Path) -> TensorSource:
    """Open a safetensors or pickled file; a pickled one may hold nothing but plain data. Raises CheckpointError."""
    if is_safetensors(path):
        return SafetensorsSource(path)
    content = read_plain(path)
    tensors = weights_in(content)
    if not tensors:
        kind = kind_of_pickle(content) or "an unknown kind of file"
        raise CheckpointError(f"{path} is {kind}: it holds no tensors with names.")
    return MemorySource(tensors, str(path))


def read_plain(path: Path) -> object:
    """Return what a pickled file holds; nothing in it is run. Raises CheckpointError.

    Newer files are mapped, so that their tensors take memory only while they are used. Where there is more than plain
    data, only the tensors are returned.
    """
    for mapped in (True, False):
        try:
            return load_plain(path, mapped=mapped)
        except Exception:  # noqa: BLE001, S112 - old files cannot be mapped; what else is wrong, the last reader says
            continue
    return read_pickled(path)


def check_checkpoint(source: TensorSource, *, needs_vae: bool = True) -> None:
    """Raise a CheckpointError that says what a source is, or what it lacks, unless it has the parts of a checkpoint.

    Single tensors may be missing, which a merge notes, or have any size: folders may be built otherwise.
    """
    shapes = {name: entry.shape for name, entry in source.entries.items()}
    parts = [UNET_PREFIX, TEXT_PREFIX, *([VAE_PREFIX] if needs_vae else [])]
    has_parts = all(any(name.startswith(prefix) for name in shapes) for prefix in parts)
    if not has_parts or identify(shapes) not in _CHECKPOINT_LIKE:
        check_shapes(source.label, shapes, needs_vae=needs_vae)
    check_numbers(source.label, {name: entry.dtype for name, entry in source.entries.items()})


def check_numbers(label: str, dtypes: Mapping[str, torch.dtype]) -> None:
    """Raise a CheckpointError where weights of a checkpoint are of 8 bits, which are quantised, or complex."""
    own = (UNET_PREFIX, TEXT_PREFIX, VAE_PREFIX)
    wrong = [
        name for name in dtypes if dtypes[name] in _QUANTISED and name.startswith(own) and name.endswith(".weight")
    ]
    if wrong:
        raise CheckpointError(
            f"{label} holds {str(dtypes[wrong[0]]).removeprefix('torch.')} where weights belong: {wrong[0]}. It is "
            "quantised for other programs, or damaged: download it in half precision."
        )


def _parse(path: Path, name: str, raw: Any) -> tuple[TensorInfo, int]:  # noqa: ANN401 - JSON of any kind
    """Return what a header says of a tensor, and where its numbers start; raises CheckpointError."""
    try:
        start, end = raw["data_offsets"]
        if raw["dtype"] not in DTYPES:
            raise CheckpointError(f"{path} holds numbers of the unknown format {raw['dtype']!r}: {name}.")
        entry = TensorInfo(DTYPES[raw["dtype"]], tuple(raw["shape"]))
        sound = all(isinstance(number, int) and number >= 0 for number in (*entry.shape, start, end))
        if not sound or end - start != entry.size:
            raise ValueError("its place and its size differ")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged at {name}: {error}. Download it again.") from error
    return entry, start
