"""Changing a checkpoint's number format, and pruning or using its EMA weights."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pastelbot.diffusion.weights.tensor_sources import TensorInfo, TensorSource
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.checking import EMA_PREFIX, ema_name
from pastelbot.formats.layout.tables import UNET_PREFIX, unet_table
from pastelbot.workshop.merge import round_to

EMA_MODES = ("drop", "keep", "use")


class Precision:
    """A source in another number format; integers and schedules, whose names have no dot, stay as they are."""

    def __init__(self, source: TensorSource, dtype: torch.dtype) -> None:
        self._source, self.label = source, source.label
        self.entries: Mapping[str, TensorInfo] = {
            name: TensorInfo(dtype, entry.shape) if entry.dtype.is_floating_point and "." in name else entry
            for name, entry in source.entries.items()
        }

    def read(self, name: str) -> Tensor:
        """Return one tensor; raises CheckpointError where its numbers do not fit."""
        return round_to(self._source, name, self.entries[name].dtype)


class WithoutEma:
    """A checkpoint without its second, smoothed weights; with `use`, these replace the UNet's own."""

    def __init__(self, source: TensorSource, *, use: bool = False) -> None:
        self._source, self.label = source, source.label
        own = {name for name in source.entries if name.startswith(UNET_PREFIX)}
        if not own and not use and any(name.startswith(EMA_PREFIX) for name in source.entries):
            raise CheckpointError(f"{source.label} has its EMA weights alone: convert it with `--ema use`.")
        known = own or {UNET_PREFIX + name for name in unet_table()}
        smoothed = {name: ema_name(name) for name in known if ema_name(name) in source.entries}
        kept = {name: name for name in source.entries if not name.startswith(EMA_PREFIX)}
        self._names = kept | (smoothed if use else {})
        if use and not smoothed:
            raise CheckpointError(f"{source.label} has no EMA weights to use.")
        self.entries: Mapping[str, TensorInfo] = {name: source.entries[old] for name, old in self._names.items()}

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        return self._source.read(self._names[name])
