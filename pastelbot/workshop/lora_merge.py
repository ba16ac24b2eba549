"""Merging LoRAs into a checkpoint: any number at once, in float32, rounded once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pastelbot.diffusion.lora.changes import add_changes
from pastelbot.diffusion.lora.lora_file import BoundChange, LoraFile
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import TensorInfo, TensorSource, check_checkpoint
from pastelbot.workshop.merge import check_rounded, round_to
from pastelbot.workshop.precision import Precision


class LoraMerge:
    """A checkpoint with LoRAs in it, each times its ratio, in `precision`, else in the checkpoint's own.

    Text encoder and UNet take the same ratio; ratios may be negative. VAE and embeddings never change, norms and biases
    only with kinds that have them. Networks are merged in their order, which matters where a change depends on weights.
    """

    def __init__(
        self,
        base: TensorSource,
        loras: Sequence[tuple[LoraFile, float]],
        *,
        precision: torch.dtype | None = None,
        label: str = "the checkpoint",
    ) -> None:
        check_checkpoint(base)
        self._base, self.label = base, label
        self._changes: dict[str, list[tuple[BoundChange, float]]] = {}
        self.unknown: dict[str, list[str]] = {}
        targets = find_targets(base.entries, rare=True)
        for lora, ratio in loras:
            bound, unknown = lora.bind(targets, as_merged=True)
            if unknown:
                self.unknown[lora.path.name] = unknown
            for key, change in bound.items():
                self._changes.setdefault(key, []).append((change, ratio))
        self.entries: Mapping[str, TensorInfo] = Precision(base, precision).entries if precision else base.entries

    @property
    def notes(self) -> list[str]:
        """Return sentences about layers that the checkpoint lacks."""
        return [
            f"{name}: {len(modules)} modules are unknown and left out: {', '.join(modules[:5])}"
            + (", ..." if len(modules) > 5 else "")
            for name, modules in self.unknown.items()
        ]

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        changes = [(change.load(), ratio) for change, ratio in self._changes.get(name, []) if ratio]
        dtype = self.entries[name].dtype
        if not changes:
            return round_to(self._base, name, dtype)
        return check_rounded(add_changes(self._base.read(name), changes).to(dtype), name, self.label)
