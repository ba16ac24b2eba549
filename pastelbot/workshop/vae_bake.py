"""Baking a VAE into a checkpoint."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pastelbot.diffusion.weights.tensor_sources import TensorInfo, TensorSource, check_checkpoint
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.tables import VAE_PREFIX
from pastelbot.workshop.merge import round_to


class VaeBake:
    """A checkpoint with another VAE, in `precision`, else in the VAE's own: then nothing of it is lost."""

    def __init__(
        self,
        base: TensorSource,
        vae: TensorSource,
        *,
        precision: torch.dtype | None = None,
        label: str = "the checkpoint",
    ) -> None:
        check_checkpoint(base, needs_vae=False)
        self._base, self._vae, self.label = base, vae, label
        # A checkpoint without a VAE gets all that the other one has.
        self._names = {name for name in base.entries if name.startswith(VAE_PREFIX)} or {*vae.entries}
        self.entries: Mapping[str, TensorInfo] = {
            **base.entries,
            **{name: self._entry(name, precision) for name in self._names},
        }

    def _entry(self, name: str, precision: torch.dtype | None) -> TensorInfo:
        if name not in self._vae.entries:
            raise CheckpointError(f"{self._vae.label} lacks {name.removeprefix(VAE_PREFIX)}.")
        entry = self._vae.entries[name]
        if name in self._base.entries and entry.shape != self._base.entries[name].shape:
            raise CheckpointError(
                f"{self._vae.label} does not fit {self._base.label}: {name.removeprefix(VAE_PREFIX)} is "
                f"{list(entry.shape)} instead of {list(self._base.entries[name].shape)}."
            )
        return TensorInfo(precision or entry.dtype, entry.shape)

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        source = self._vae if name in self._names else self._base
        return round_to(source, name, self.entries[name].dtype)
