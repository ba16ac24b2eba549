"""Merging LoRAs into a checkpoint: any number at once, in float32, rounded once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pastelbot.diffusion.lora.factors import add_factors
from pastelbot.diffusion.lora.files import LoraFile, LoraModule
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import TensorInfo, TensorSource, check_checkpoint
from pastelbot.workshop.merge import check_rounded, round_to
from pastelbot.workshop.precision import Precision


class LoraMerge:
    """A checkpoint with LoRAs in it, each times its ratio, in `precision`, else in the checkpoint's own.

    Text encoder and UNet take the same ratio; ratios may be negative. VAE, norms, biases and embeddings never change.
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
        self._changes: dict[str, list[tuple[LoraModule, float]]] = {}
        self.unknown: dict[str, list[str]] = {}
        targets = find_targets(base.entries)
        for lora, ratio in loras:
            bound, unknown = lora.bind(targets)
            if unknown:
                self.unknown[lora.path.name] = unknown
            for key, module in bound.items():
                self._changes.setdefault(key, []).append((module, ratio))
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
        changes = [(module.load(), ratio) for module, ratio in self._changes.get(name, []) if ratio]
        dtype = self.entries[name].dtype
        if not changes:
            return round_to(self._base, name, dtype)
        return check_rounded(add_factors(self._base.read(name), changes).to(dtype), name, self.label)
