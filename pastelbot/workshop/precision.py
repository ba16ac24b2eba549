"""Changing a checkpoint's number format, and pruning or using its EMA weights."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pastelbot.diffusion.weights.ldm import UNET_PREFIX
from pastelbot.diffusion.weights.tensor_sources import TensorInfo, TensorSource
from pastelbot.errors import CheckpointError
from pastelbot.workshop.merge import round_to

EMA_PREFIX = "model_ema."
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
        smoothed = {name: _ema_name(name) for name in source.entries if name.startswith(UNET_PREFIX)}
        self._names = {
            name: smoothed[name] if use and smoothed.get(name) in source.entries else name
            for name in source.entries
            if not name.startswith(EMA_PREFIX)
        }
        if use and not any(name.startswith(EMA_PREFIX) for name in self._names.values()):
            raise CheckpointError(f"{source.label} has no EMA weights to use.")
        self.entries: Mapping[str, TensorInfo] = {name: source.entries[old] for name, old in self._names.items()}

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        return self._source.read(self._names[name])


def _ema_name(name: str) -> str:
    """Return what the smoothed counterpart of a UNet tensor is called."""
    return EMA_PREFIX + name.removeprefix("model.").replace(".", "")
