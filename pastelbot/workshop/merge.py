"""Merging checkpoints: by block weights, as a weighted sum, and by adding a difference."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pastelbot.diffusion.weights.tensor_sources import (
    SafetensorsSource,
    TensorInfo,
    TensorSource,
    check_checkpoint,
    check_finite,
)
from pastelbot.errors import CheckpointError
from pastelbot.workshop.blocks import BlockWeights, is_merged
from pastelbot.workshop.numbers import combine, promoted

POSITION_IDS = "embeddings.position_ids"
_POSITIONS = 77

_FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
_PLAIN, _INPAINTING = 4, 9  # input channels


def positions() -> Tensor:
    """Return the text encoder's positions as they must be: int64 0 to 76, shape [1, 77]."""
    return torch.arange(_POSITIONS).unsqueeze(0)


class BlockMerge:
    """A * (1 - weight) + B * weight, with a weight for each block of the UNet and the base alpha for the rest.

    Tensors in only one of the two are taken as they are; schedules are those of A. Numbers are computed in float32
    and rounded once: to `precision`, else to the more exact format of the two; integers become float32 where their
    weight is a fraction. The text encoder's positions are written as they must be, whatever the inputs hold, unless
    `keep_positions` takes those of A.
    """

    def __init__(
        self,
        a: TensorSource,
        b: TensorSource,
        weights: BlockWeights,
        *,
        precision: torch.dtype | None = None,
        keep_positions: bool = False,
        label: str = "the merge",
    ) -> None:
        self._a, self._b, self._weights, self.label = a, b, weights, label
        self._keep_positions = keep_positions
        _check_pair(a, b)
        self.entries: Mapping[str, TensorInfo] = self._plan(precision)

    @property
    def notes(self) -> list[str]:
        """Return sentences about tensors that only one of the inputs has."""
        return _one_sided(self._a, self._b)

    def _plan(self, precision: torch.dtype | None) -> dict[str, TensorInfo]:
        entries = dict(self._a.entries)
        for name, other in self._b.entries.items():
            if not is_merged(name):
                continue
            own = entries.get(name, other)
            dtype = promoted(own.dtype, other.dtype)
            if not dtype.is_floating_point and not self._weights.of(name).is_integer():
                dtype = torch.float32
            entries[name] = TensorInfo(precision if precision and dtype.is_floating_point else dtype, own.shape)
        for name in entries:
            if name.endswith(POSITION_IDS):
                entries[name] = self._plan_positions(name)
        return entries

    def _plan_positions(self, name: str) -> TensorInfo:
        if self._keep_positions:
            return self._a.entries.get(name) or self._b.entries[name]
        return TensorInfo(torch.int64, (1, _POSITIONS))

    def read(self, name: str) -> Tensor:
        """Return one merged tensor."""
        in_a, in_b = name in self._a.entries, name in self._b.entries
        if name.endswith(POSITION_IDS):
            kept = self._a if in_a else self._b
            return kept.read(name) if self._keep_positions else positions()
        if not (in_a and in_b and is_merged(name)):
            return round_to(self._a if in_a else self._b, name, self.entries[name].dtype)
        dtype, weight = self.entries[name].dtype, self._weights.of(name)
        if not weight:
            return round_to(self._a, name, dtype)
        if weight == 1:
            return _with_rest(round_to(self._b, name, dtype), self._a, name)
        factors = [(self._a, 1.0 - weight), (self._b, weight)]
        return _with_rest(_sum(factors, name, dtype, self.label), self._a, name)


class AddDifference:
    """A + (B - C) * weight, in float32 and rounded once to `precision`, else to A's own format.

    What B or C lacks stays as it is in A; schedules and positions do as well.
    """

    def __init__(
        self,
        a: TensorSource,
        b: TensorSource,
        c: TensorSource,
        weight: float,
        *,
        precision: torch.dtype | None = None,
        label: str = "the merge",
    ) -> None:
        self._a, self._b, self._c, self._weight, self.label = a, b, c, weight, label
        _check_pair(a, b)
        _check_pair(a, c)
        self.entries: Mapping[str, TensorInfo] = {
            name: TensorInfo(precision, entry.shape)
            if precision and entry.dtype.is_floating_point and is_merged(name)
            else entry
            for name, entry in a.entries.items()
        }

    @property
    def notes(self) -> list[str]:
        """Return sentences about tensors that not all inputs have."""
        return [*_one_sided(self._a, self._b), *_one_sided(self._b, self._c)]

    def read(self, name: str) -> Tensor:
        """Return one merged tensor."""
        dtype = self.entries[name].dtype
        different = is_merged(name) and name in self._b.entries and name in self._c.entries
        if not different or not dtype.is_floating_point or name.endswith(POSITION_IDS) or not self._weight:
            return round_to(self._a, name, dtype)
        factors = [(self._a, 1.0), (self._b, self._weight), (self._c, -self._weight)]
        return _with_rest(_sum(factors, name, dtype, self.label), self._a, name)


def _check_pair(a: TensorSource, b: TensorSource) -> None:
    """Raise a CheckpointError unless both are SD 1.x checkpoints whose common tensors have the same shapes.

    A may be an inpainting model and B none: the webui then merges what the first layer sees of the latents.
    """
    for source in (a, b):
        check_checkpoint(source)
    for name in a.entries.keys() & b.entries.keys():
        ours, theirs = a.entries[name].shape, b.entries[name].shape
        if ours != theirs and is_merged(name) and not name.endswith(POSITION_IDS):
            if name == _FIRST_LAYER and (ours[1], theirs[1]) == (_INPAINTING, _PLAIN):
                continue
            if name == _FIRST_LAYER and (ours[1], theirs[1]) == (_PLAIN, _INPAINTING):
                raise CheckpointError(
                    f"{b.label} is an inpainting model of Stable Diffusion 1.x and {a.label} is not: "
                    "name the inpainting model first, to make another inpainting model."
                )
            raise CheckpointError(
                f"{a.label} and {b.label} have different architectures: "
                f"{name} is {list(ours)} in the first and {list(theirs)} in the second."
            )


def _sum(factors: Sequence[tuple[TensorSource, float]], name: str, dtype: torch.dtype, label: str) -> Tensor:
    """Return the sum of a tensor of several sources, each times its factor, as far as the second one's channels go.

    What is invalid in one of them is invalid in the sum, so one look at that is enough; each is looked at only to say
    which one it is.
    """
    tensors = [_unchecked(source, name) for source, _ in factors]
    tensors[0] = _narrowed(tensors[0], tensors[1])
    effective = [(tensor, factor) for tensor, (_, factor) in zip(tensors, factors, strict=True)]
    try:
        return check_rounded(combine(effective, dtype), name, label)
    except CheckpointError:
        for source, _ in factors:
            source.read(name)
        raise


def _unchecked(source: TensorSource, name: str) -> Tensor:
    """Return a source's tensor, whose numbers are looked at later where that saves a look."""
    return source.read_unchecked(name) if isinstance(source, SafetensorsSource) else source.read(name)


def _narrowed(tensor: Tensor, other: Tensor) -> Tensor:
    """Return the input channels that the other tensor has too: all, or those of the latents."""
    return tensor[:, : other.shape[1]] if tensor.ndim > 1 else tensor


def _with_rest(merged: Tensor, a: TensorSource, name: str) -> Tensor:
    """Return a merged tensor with the input channels that A alone has: those of a mask, and of what is under it."""
    if name != _FIRST_LAYER or a.entries[name].shape == tuple(merged.shape):
        return merged
    return torch.cat((merged, round_to(a, name, merged.dtype)[:, merged.shape[1] :]), dim=1)


def round_to(source: TensorSource, name: str, dtype: torch.dtype) -> Tensor:
    """Return a source's tensor in another number format; raises CheckpointError where its numbers do not fit."""
    tensor = source.read(name)
    return tensor if tensor.dtype == dtype else check_rounded(tensor.to(dtype), name, source.label)


def check_rounded(tensor: Tensor, name: str, label: str) -> Tensor:
    """Return a rounded result; raises CheckpointError where it became infinite."""
    try:
        return check_finite(tensor, name, label)
    except CheckpointError as error:
        raise CheckpointError(f"{name} of {label} is too large for {tensor.dtype}: use fp32 or bf16.") from error


def _one_sided(a: TensorSource, b: TensorSource) -> list[str]:
    notes = []
    for one, other in ((a, b), (b, a)):
        only = sorted(name for name in one.entries.keys() - other.entries.keys() if is_merged(name))
        if only:
            notes.append(f"{len(only)} tensors are only in {one.label}, the first is {only[0]}; they are not merged.")
    return notes
