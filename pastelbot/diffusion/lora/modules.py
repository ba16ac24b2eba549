"""One layer of a network's file: where its tensors are, what kind it is of, and what it changes."""

from dataclasses import dataclass, field
from functools import cached_property

import torch

from pastelbot.diffusion.lora.changes import Change
from pastelbot.diffusion.lora.targets import Target
from pastelbot.diffusion.weights.tensor_sources import TensorSource
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.network_kinds import FULL, GLORA, IA3, NORM, NUMBERS, OFT, NetworkKind, kind_of, lacking

# What is added to a layer's weight as it is, and to its bias.
_ADDED = {FULL: ("diff", "diff_b"), NORM: ("w_norm", "b_norm")}
_OF_THE_WEIGHT = (IA3, OFT, GLORA)  # what they change takes its shape from the layer
_FILE_ROLES = {"down": "lora_down", "up": "lora_up"}
_DIMENSIONS = (1, 2, 4)


@dataclass(kw_only=True)
class NetworkModule:
    """Where one layer's tensors are: names in the source by role; `usual_alpha` is that of a layer without its own."""

    source: TensorSource
    names: dict[str, str] = field(default_factory=dict)
    usual_alpha: float | None = None

    @property
    def kind(self) -> NetworkKind | None:
        """Return its kind; None where it is incomplete, or of no known kind."""
        return kind_of(self.names)

    @property
    def parts(self) -> tuple[int, ...]:
        """Return what it changes: 0 is the layer's weight, 1 its bias."""
        roles = _ADDED.get(self.kind) if self.kind else None
        return (0,) if roles is None else tuple(part for part, role in enumerate(roles) if role in self.names)

    def check(self, name: str) -> None:
        """Raise CheckpointError, with the layer's name, where tensors are missing or do not fit each other."""
        if self.kind is None:
            missing = lacking(self.names) or ""
            raise CheckpointError(
                f"{self.source.label} lacks {_FILE_ROLES.get(missing, missing)} of {name}: it is incomplete."
            )
        for role, own in self.names.items():
            if role not in NUMBERS and not self.source.entries[own].dtype.is_floating_point:
                raise CheckpointError(f"{self.source.label} holds whole numbers where weights belong: {own}.")
        sketches = [self.change(part=part, sketched=True) for part in self.parts]
        empty = any(not tensor.numel() or not tensor.dim() for sketch in sketches for tensor in sketch.tensors.values())
        if empty or (self.kind not in _OF_THE_WEIGHT and 0 in self.parts and self.changed_shape is None):
            raise CheckpointError(f"{self.source.label} is damaged: the factors of {name} do not fit each other.")

    def change(self, *, part: int = 0, sketched: bool = False) -> Change:
        """Read what is done to a part: the layer's weight, or its bias.

        A sketch has tensors without their numbers. Raises CheckpointError for damage, NaN and infinity.
        """
        kind = self.kind
        if kind is None:
            raise CheckpointError(f"{self.source.label} has an incomplete layer: {next(iter(self.names.values()))}.")
        roles = {role: role for role in self.names if role not in NUMBERS}
        if kind in _ADDED:
            own = _ADDED[kind]
            roles = {"diff": own[part]} | {role: role for role in roles if role not in own and not part}
        tensors = {role: self._tensor(self.names[own], sketched=sketched) for role, own in roles.items()}
        if part:
            tensors = {role: tensor.float() for role, tensor in tensors.items()}  # biases are added in float32
        return Change(kind=FULL if kind in _ADDED else kind, tensors=tensors, numbers={} if part else self._numbers())

    def fits(self, target: Target, *, part: int = 0) -> bool:
        """Return whether the change has the layer's shape."""
        try:
            self.change(part=part, sketched=True).difference(torch.empty(target.shape_of(part), device="meta"))
        except (RuntimeError, IndexError):
            return False
        return True

    @cached_property
    def changed_shape(self) -> tuple[int, ...] | None:
        """Return the shape of what it changes, None where only the layer knows it or the factors do not fit."""
        if self.kind in (None, *_OF_THE_WEIGHT) or 0 not in self.parts:
            return None
        try:
            shape = tuple(self.change(sketched=True).raw(torch.empty(1, 1, device="meta")).shape)
        except (RuntimeError, IndexError):
            return None
        return shape if len(shape) in _DIMENSIONS and 0 not in shape else None

    def _tensor(self, name: str, *, sketched: bool) -> torch.Tensor:
        return torch.empty(self.source.entries[name].shape, device="meta") if sketched else self.source.read(name)

    def _numbers(self) -> dict[str, float]:
        numbers = {} if self.usual_alpha is None else {"alpha": self.usual_alpha}
        for role in NUMBERS:
            if role in self.names:
                tensor = self.source.read(self.names[role])
                if tensor.numel() != 1:
                    raise CheckpointError(f"{self.source.label} is damaged: {self.names[role]} is not a single number.")
                numbers[role] = float(tensor)
        return numbers
