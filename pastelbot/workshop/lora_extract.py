"""Extracting a LoRA from the difference of two checkpoints."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from pastelbot.diffusion.lora.targets import TEXT, Target, find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource, TensorSource, check_checkpoint
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.formats.hashes import lora_hashes
from pastelbot.workshop.low_rank import factorise
from pastelbot.workshop.writing import Progress, silent, write


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """How to extract: `conv_rank` takes convolutions along, `clamp` is a quantile such as 0.99, None is off.

    The text encoder is left out where none of its layers differs by more than `min_difference`.
    """

    rank: int
    conv_rank: int | None = None
    clamp: float | None = None
    min_difference: float = 0.01
    precision: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        """Raise a WorkshopError where a number is out of its range."""
        if self.rank < 1 or (self.conv_rank is not None and self.conv_rank < 1):
            raise WorkshopError("The rank of a LoRA is 1 or more.")
        if self.clamp is not None and not 0 < self.clamp <= 1:
            raise WorkshopError("The clamp quantile is above 0 and at most 1, for example 0.99.")

    def rank_of(self, target: Target) -> int:
        """Return the rank that a layer gets: no more than its inputs or outputs."""
        wanted = self.conv_rank if target.is_convolution and self.conv_rank else self.rank
        return min(wanted, *target.shape[:2])


def extract(
    original: TensorSource, tuned: TensorSource, how: Extraction, progress: Progress = silent
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return a LoRA's tensors under kohya's names, and its metadata; raises CheckpointError.

    Factors bear their scale: alpha is the rank.
    """
    targets = _differing(original, tuned, how)
    total = sum(np.prod(target.shape, dtype=int) for target in targets.values())
    tensors: dict[str, Tensor] = {}
    done = 0
    for name, target in targets.items():
        tensors |= _extract_layer(name, target, _difference(original, tuned, target), how)
        done += np.prod(target.shape, dtype=int)
        progress("Extracting", int(done), int(total))
    metadata = _metadata(how)
    return tensors, metadata | lora_hashes(save(tensors, metadata))


def write_lora(
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
    path: Path,
    *,
    inputs: tuple[Path, ...] = (),
) -> None:
    """Write a LoRA file; raises WorkshopError."""
    write(MemorySource(tensors, str(path)), path, inputs=inputs, metadata=metadata)


def _differing(original: TensorSource, tuned: TensorSource, how: Extraction) -> dict[str, Target]:
    for source in (original, tuned):
        check_checkpoint(source, needs_vae=False)
    targets = {
        name: target
        for name, target in find_targets(original.entries).items()
        if target.standard or how.conv_rank is not None
    }
    for target in targets.values():
        entry = tuned.entries.get(target.key)
        if entry is None or entry.shape != target.shape:
            found = "nothing" if entry is None else str(list(entry.shape))
            raise CheckpointError(f"{tuned.label} has {found} instead of {list(target.shape)} for {target.key}.")
    text = {name: target for name, target in targets.items() if name.startswith(TEXT)}
    if any(float(_difference(original, tuned, target).abs().max()) > how.min_difference for target in text.values()):
        return targets
    return {name: target for name, target in targets.items() if name not in text}


def _difference(original: TensorSource, tuned: TensorSource, target: Target) -> Tensor:
    """Return tuned - original in float32: half precision would lose what is small."""
    return tuned.read(target.key).float() - original.read(target.key).float()


def _extract_layer(name: str, target: Target, difference: Tensor, how: Extraction) -> dict[str, Tensor]:
    rank = how.rank_of(target)
    up, down = factorise(difference.flatten(1), rank)
    if how.clamp is not None:
        up, down = _clamped(up, down, how.clamp)
    tail = (1,) * (len(target.shape) - 2)
    factors = {
        "alpha": torch.tensor(float(rank)),
        "lora_down.weight": down.reshape(rank, *target.shape[1:]),
        "lora_up.weight": up.reshape(target.shape[0], rank, *tail),
    }
    return {f"{name}.{role}": tensor.to(how.precision).contiguous() for role, tensor in factors.items()}


def _clamped(up: Tensor, down: Tensor, quantile: float) -> tuple[Tensor, Tensor]:
    """Limit the factors as kohya's script does: to a quantile of the signed values of both together."""
    values = torch.cat([up.flatten(), down.flatten()]).numpy()
    limit = float(np.quantile(values, quantile))
    return up.clamp(-limit, limit), down.clamp(-limit, limit)


def _metadata(how: Extraction) -> dict[str, str]:
    arguments = {}
    if how.conv_rank is not None:
        arguments = {"conv_dim": str(how.conv_rank), "conv_alpha": str(float(how.conv_rank))}
    return {
        "ss_v2": "False",
        "ss_base_model_version": "sd_v1",
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(how.rank),
        "ss_network_alpha": str(float(how.rank)),
        "ss_network_args": json.dumps(arguments),
    }
