"""LoRA patches: added to the weights of loaded networks, and removed exactly.

A changed weight is always computed from the kept original, as the workshop's merge computes it, and rounded to the
number format that the checkpoint's file has: using a LoRA and merging it are the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn

from pastelbot.diffusion.lora.changes import Change, add_changes
from pastelbot.diffusion.lora.targets import Targets, find_targets
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.weights.original_names import layout_of_diffusers, original_text_name, original_unet_name
from pastelbot.diffusion.weights.tensor_sources import TensorInfo


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedLora:
    """A LoRA in memory: what it changes, by the layers' original names.

    `identity` is different for any other content of its file; `unknown` are the modules that the checkpoint lacks.
    `changes` are by the names of tensors, `embeddings` the tensors of those inside the file.
    """

    name: str
    hash: str
    identity: str
    changes: Mapping[str, Change]
    unknown: tuple[str, ...] = ()
    embeddings: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return the bytes that it takes."""
        return sum(change.size for change in self.changes.values())


LoraSet = tuple[tuple[LoadedLora, float], ...]
_Add = Callable[[Tensor, Sequence[tuple[Change, float]]], Tensor]
NO_LORAS: LoraSet = ()


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer's weight, and the number format that it has in the checkpoint's file."""

    weight: Tensor
    stored: torch.dtype


class Patch:
    """The layers of one network, with whatever set of LoRAs was used last; looked for when the first is used.

    `forget` is called where the weights change, for what was computed of them; `add` computes a changed weight from the
    original one.
    """

    def __init__(
        self,
        find_layers: Callable[[], Mapping[str, Layer]],
        *,
        forget: Callable[[], None] = lambda: None,
        add: _Add = add_changes,
    ) -> None:
        self._find_layers = find_layers
        self._forget, self._add = forget, add
        self._originals: dict[str, Tensor] = {}
        self._changed: set[str] = set()
        self._used: LoraSet | None = NO_LORAS
        self._changes = 0

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Return the layers by original name."""
        return self._find_layers()

    @property
    def used(self) -> LoraSet | None:
        """Return the set that is in the weights; None where a change was broken off."""
        return self._used

    @property
    def changes(self) -> int:
        """Return how often the weights have been changed."""
        return self._changes

    def use(self, loras: LoraSet) -> None:
        """Put a set of LoRAs into the weights, in place of the one that is in them."""
        if loras != self._used:
            self._put(loras)

    @torch.no_grad()
    def _put(self, loras: LoraSet) -> None:
        self._used = None
        self._changes += 1
        self._forget()
        changes: dict[str, list[tuple[Change, float]]] = {}
        for lora, multiplier in loras:
            for key in lora.changes.keys() & self.layers.keys() if multiplier else ():
                changes.setdefault(key, []).append((lora.changes[key], multiplier))
        for key in self._changed - changes.keys():
            self.layers[key].weight.copy_(self._originals[key])
        self._changed &= changes.keys()
        for key, each in changes.items():
            self._change(key, each)
        if not self._changed:
            self._originals.clear()
        self._used = loras

    def _change(self, key: str, changes: Sequence[tuple[Change, float]]) -> None:
        layer = self.layers[key]
        if key not in self._originals:
            self._originals[key] = layer.weight.clone(memory_format=torch.contiguous_format)
        device = layer.weight.device
        moved = [(change.moved(device), multiplier) for change, multiplier in changes]
        self._changed.add(key)
        layer.weight.copy_(self._add(self._originals[key], moved).to(layer.stored))


class Patches(Protocol):
    """What LoRAs can change of one checkpoint: its UNet and its text encoder, each with a set of its own."""

    unet: Patch
    text: Patch

    @property
    def targets(self) -> Targets:
        """Return the layers that a LoRA may change, by the names in LoRA files; PaintingError where there are none."""


class NetworkPatches:
    """The patches of networks whose weights are torch parameters."""

    def __init__(self, unet: nn.Module, text_encoder: nn.Module, stored: Mapping[str, torch.dtype]) -> None:
        """Take the networks, and the number formats of the checkpoint's file by original name, where they are known."""
        forget = unet.forget if isinstance(unet, LeanUnet) else lambda: None
        self.unet = Patch(lambda: _unet_layers(unet, stored), forget=forget)
        self.text = Patch(lambda: _text_layers(text_encoder, stored))

    @cached_property
    def targets(self) -> Targets:
        """Return the layers that a LoRA may change, by the names that LoRA files have for them."""
        layers = {**self.unet.layers, **self.text.layers}
        return find_targets(
            {name: TensorInfo(layer.weight.dtype, tuple(layer.weight.shape)) for name, layer in layers.items()},
            rare=True,
        )


def original_formats(unet: Mapping[str, Tensor], text_encoder: Mapping[str, Tensor]) -> dict[str, torch.dtype]:
    """Return the number formats of a checkpoint's tensors under diffusers' names, by their original names."""
    layout = layout_of_diffusers(unet)
    formats = {original_unet_name(name, layout) or name: tensor.dtype for name, tensor in unet.items()}
    formats |= {original_text_name(name): tensor.dtype for name, tensor in text_encoder.items()}
    # Nothing is computed in float64, which MPS does not have, nor in whole numbers.
    return {
        name: dtype if dtype.is_floating_point and dtype != torch.float64 else torch.float32
        for name, dtype in formats.items()
    }


def _unet_layers(unet: nn.Module, stored: Mapping[str, torch.dtype]) -> dict[str, Layer]:
    weights = dict(unet.named_parameters())
    layout = layout_of_diffusers(weights)
    named = {original_unet_name(name, layout) or name: weight for name, weight in weights.items()}
    return {name: Layer(weight, stored.get(name, weight.dtype)) for name, weight in named.items()}


def _text_layers(text_encoder: nn.Module, stored: Mapping[str, torch.dtype]) -> dict[str, Layer]:
    inner = getattr(text_encoder, "text_model", text_encoder)
    named = {original_text_name(name): weight for name, weight in inner.named_parameters()}
    return {name: Layer(weight, stored.get(name, weight.dtype)) for name, weight in named.items()}
