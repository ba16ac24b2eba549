"""One layer of a network's file: where its tensors are, what kind it is of, and what it changes."""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

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
_OUTLINES = 4096  # whose shapes are kept: a network has few different ones


@dataclass(frozen=True, kw_only=True)
class _Outline:
    """What decides the shape of a change: its kind, its tensors' shapes by role, and its single numbers."""

    kind: NetworkKind
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    numbers: tuple[tuple[str, float], ...]

    def sketch(self) -> Change:
        """Return the change with tensors without their numbers."""
        tensors = {role: torch.empty(shape, device="meta") for role, shape in self.shapes}
        return Change(kind=self.kind, tensors=tensors, numbers=dict(self.numbers))


@lru_cache(_OUTLINES)
def _fits(outline: _Outline, weight: tuple[int, ...]) -> bool:
    """Return whether a change has a weight's shape."""
    try:
        outline.sketch().difference(torch.empty(weight, device="meta"))
    except (RuntimeError, IndexError):
        return False
    return True


@lru_cache(_OUTLINES)
def _changed_shape(outline: _Outline) -> tuple[int, ...] | None:
    """Return the shape of a change that the layer does not decide, None where the factors do not fit each other."""
    try:
        shape = tuple(outline.sketch().raw(torch.empty(1, 1, device="meta")).shape)
    except (RuntimeError, IndexError):
        return None
    return shape if len(shape) in _DIMENSIONS and 0 not in shape else None


@dataclass(kw_only=True)
class NetworkModule:
    """Where one layer's tensors are: names in the source by role; `usual_alpha` is that of a layer without its own.

    It is asked for what it changes when all names are known.
    """

    source: TensorSource
    names: dict[str, str] = field(default_factory=dict)
    usual_alpha: float | None = None

    @cached_property
    def kind(self) -> NetworkKind | None:
        """Return its kind; None where it is incomplete, or of no known kind."""
        return kind_of(self.names)

    @cached_property
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
        shapes = [shape for part in self.parts for _role, shape in self._outline(part).shapes]
        empty = any(not shape or 0 in shape for shape in shapes)
        if empty or (self.kind not in _OF_THE_WEIGHT and 0 in self.parts and self.changed_shape is None):
            raise CheckpointError(f"{self.source.label} is damaged: the factors of {name} do not fit each other.")

    def change(self, *, part: int = 0) -> Change:
        """Read what is done to a part: the layer's weight, or its bias.

        Raises CheckpointError for damage, NaN and infinity.
        """
        tensors = {role: self.source.read(name) for role, name in self._names_of(part).items()}
        if part:
            tensors = {role: tensor.float() for role, tensor in tensors.items()}  # biases are added in float32
        return Change(kind=self._computed_kind, tensors=tensors, numbers={} if part else self._numbers)

    def sketch(self, *, part: int = 0) -> Change:
        """Return what is done to a part, with tensors without their numbers."""
        return self._outline(part).sketch()

    def fits(self, target: Target, *, part: int = 0) -> bool:
        """Return whether the change has the layer's shape."""
        return _fits(self._outline(part), tuple(target.shape_of(part)))

    @cached_property
    def changed_shape(self) -> tuple[int, ...] | None:
        """Return the shape of what it changes, None where only the layer knows it or the factors do not fit."""
        if self.kind in (None, *_OF_THE_WEIGHT) or 0 not in self.parts:
            return None
        return _changed_shape(self._outline(0))

    def _whole_kind(self) -> NetworkKind:
        if self.kind is None:
            raise CheckpointError(f"{self.source.label} has an incomplete layer: {next(iter(self.names.values()))}.")
        return self.kind

    @property
    def _computed_kind(self) -> NetworkKind:
        """Return the kind that it is computed as."""
        kind = self._whole_kind()
        return FULL if kind in _ADDED else kind

    def _outline(self, part: int) -> _Outline:
        shapes = ((role, tuple(self.source.entries[name].shape)) for role, name in self._names_of(part).items())
        numbers = () if part else tuple(self._numbers.items())
        return _Outline(kind=self._computed_kind, shapes=tuple(shapes), numbers=numbers)

    def _names_of(self, part: int) -> dict[str, str]:
        """Return the names of the tensors that change a part, by their roles in the change."""
        roles = {role: role for role in self.names if role not in NUMBERS}
        own = _ADDED.get(self._whole_kind())
        if own is not None:
            roles = {"diff": own[part]} | {role: role for role in roles if role not in own and not part}
        return {role: self.names[name] for role, name in roles.items()}

    @cached_property
    def _numbers(self) -> dict[str, float]:
        numbers = {} if self.usual_alpha is None else {"alpha": self.usual_alpha}
        for role in NUMBERS:
            if role in self.names:
                tensor = self.source.read(self.names[role])
                if tensor.numel() != 1:
                    raise CheckpointError(f"{self.source.label} is damaged: {self.names[role]} is not a single number.")
                numbers[role] = float(tensor)
        return numbers
