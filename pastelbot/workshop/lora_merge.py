"""Merging LoRAs into a checkpoint: any number at once, in float32, rounded once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pastelbot.workshop.lora_files import Factors, LoraFile, LoraModule
from pastelbot.workshop.lora_targets import find_targets
from pastelbot.workshop.merge import check_rounded, round_to
from pastelbot.workshop.precision import Precision
from pastelbot.workshop.sources import Entry, Source, check_checkpoint


class LoraMerge:
    """A checkpoint with LoRAs in it, each times its ratio, in `precision`, else in the checkpoint's own.

    Text encoder and UNet take the same ratio; ratios may be negative. VAE, norms, biases and embeddings never change.
    """

    def __init__(
        self,
        base: Source,
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
        self.entries: Mapping[str, Entry] = Precision(base, precision).entries if precision else base.entries

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


def add_factors(weight: Tensor, changes: Sequence[tuple[Factors, float]]) -> Tensor:
    """Return `weight + ratio * (alpha / rank) * up @ down` for all changes, in float32.

    `weight` is [out, in] or [out, in, height, width].
    """
    result = weight.float() if weight.dtype != torch.float32 else weight.clone()
    flat = result.view(result.shape[0], -1)
    for factors, ratio in changes:
        flat.addmm_(factors.up.float().flatten(1), _right_factor(factors), alpha=ratio * factors.scale)
    return result


def _right_factor(factors: Factors) -> Tensor:
    """Return what stands to the right of `up`, in float32: [rank, in * height * width]."""
    down = factors.down.float().flatten(1)
    if factors.mid is None:
        return down
    return torch.einsum("prkl,rj->pjkl", factors.mid.float(), down).flatten(1)
