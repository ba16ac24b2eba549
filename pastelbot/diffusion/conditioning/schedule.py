"""The conditioning of a picture, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

WeightedConditioning = tuple[tuple[torch.Tensor, float], ...]


def pad(conditioning: torch.Tensor, tokens: int) -> torch.Tensor:
    """Repeat the last vector of a conditioning (tokens, dim) up to `tokens`."""
    missing = tokens - conditioning.shape[0]
    return torch.cat([conditioning, conditioning[-1:].expand(missing, -1)]) if missing else conditioning


def fill(conditioning: torch.Tensor, tokens: int, empty: torch.Tensor) -> torch.Tensor:
    """Append the chunk of an `empty` prompt (77, dim) to a conditioning (tokens, dim) up to `tokens`."""
    missing = (tokens - conditioning.shape[0]) // empty.shape[0]
    return torch.cat([conditioning, *[empty] * missing])


@dataclass(frozen=True, eq=False)
class Track:
    """One prompt's conditioning (tokens, dim) through the steps: (last step, conditioning), in order."""

    entries: tuple[tuple[int, torch.Tensor], ...]

    def at(self, call: int) -> torch.Tensor:
        """Return the conditioning at a 0-based step; past the end it is the first one."""
        return next((tensor for end, tensor in self.entries if call <= end), self.entries[0][1])


@dataclass(frozen=True, eq=False)
class ConditioningSchedule:
    """The conditioning of one picture through the steps: its parts, each with a weight.

    Parts of one picture, and of all pictures of its batch, are made equally long at every step by repeating their last
    vector: `batch` holds all of them. The same step always returns the same tensors, so they may serve as cache keys.
    """

    parts: tuple[tuple[Track, float], ...]
    batch: tuple[Track, ...]
    _padded: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict, repr=False)

    def at(self, call: int) -> WeightedConditioning:
        """Return (conditioning (tokens, dim), weight) of each part at a 0-based step."""
        if not self.changes:
            return self._first
        return self._at(call)

    def _at(self, call: int) -> WeightedConditioning:
        tokens = max(track.at(call).shape[0] for track in self.batch)
        return tuple((self._pad(track.at(call), tokens), weight) for track, weight in self.parts)

    @cached_property
    def changes(self) -> bool:
        """Return whether a prompt is edited on the way, so that steps may differ."""
        return any(len(track.entries) > 1 for track in self.batch)

    @cached_property
    def _first(self) -> WeightedConditioning:
        return self._at(0)

    def _pad(self, tensor: torch.Tensor, tokens: int) -> torch.Tensor:
        if tensor.shape[0] == tokens:
            return tensor
        key = (id(tensor), tokens)
        if key not in self._padded:
            self._padded[key] = pad(tensor, tokens)
        return self._padded[key]


def schedules(images: Sequence[Sequence[tuple[int, float]]], tracks: Sequence[Track]) -> Iterator[ConditioningSchedule]:
    """Yield the schedule of each picture from its (index of track, weight) pairs."""
    for image in images:
        yield ConditioningSchedule(tuple((tracks[index], weight) for index, weight in image), tuple(tracks))
