"""Factors of a LoRA's layer, and the change of its weight in float32, which the caller rounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Factors:
    """One layer's factors, in the file's own number format.

    `down` is [rank, in], [rank, in, 1, 1] or [rank, in, 3, 3], `up` [out, rank] or [out, rank, 1, 1]; with a `mid`
    of [rank, rank, 3, 3], both others are 1x1. The change is `up @ (mid @) down`, times alpha / rank.
    """

    down: Tensor
    up: Tensor
    mid: Tensor | None = None
    alpha: float | None = None

    @property
    def scale(self) -> float:
        """Return alpha / rank, which is 1 without an alpha."""
        return 1.0 if self.alpha is None else self.alpha / self.down.shape[0]

    def first(self, rank: int | None) -> "Factors":
        """Return the first ranks alone, scaled as before, which the webui does to layers without a `mid`; None: all."""
        own = self.down.shape[0]
        if rank is None or rank >= own or self.mid is not None:
            return self
        alpha = None if self.alpha is None else self.alpha * rank / own
        return Factors(down=self.down[:rank], up=self.up[:, :rank], alpha=alpha)

    def to(self, device: torch.device) -> "Factors":
        """Return the factors on a device."""
        if self.down.device == device:
            return self
        mid = None if self.mid is None else _moved(self.mid, device)
        return Factors(down=_moved(self.down, device), up=_moved(self.up, device), mid=mid, alpha=self.alpha)


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a factor; MPS knows no float64, and everything is computed in float32."""
    return (tensor.float() if tensor.dtype == torch.float64 else tensor).to(device)


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
