"""The UNet of diffusers with what is the same in every step computed once, and with nothing that changes no number.

The keys and values of cross-attention depend on the prompt alone, and what the time adds to each layer on the timestep
alone. What is left of a call has no division by 1, no dropout, and one matrix for query, key and value.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast
from weakref import ReferenceType, ref

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from pastelbot.diffusion.networks import lean_layers
from pastelbot.diffusion.networks.lean_layers import Layers

_TOKENS = 32 * 77  # whose keys and values are kept
_TIMES = 256  # timesteps whose additions are kept
_AS_PAINTING_CALLS = {"return_dict": False}

_Kept = TypeVar("_Kept")
_KeysValues = Sequence[tuple[Tensor, Tensor]]
_Answer = Any  # of diffusers, which has no types


class StepInputs(NamedTuple):
    """What a call takes besides latents: what the time adds to each layer, and cross-attention's keys and values."""

    times: Sequence[Tensor]
    keys_values: _KeysValues


class LeanUnet(UNet2DConditionModel):  # type: ignore[misc]  # diffusers has no types
    """A UNet that is called as diffusers' is, in less time.

    Conditionings are recognised as objects: who calls with the same tensor again saves its keys and values. A UNet that
    is built otherwise than Stable Diffusion 1.x is computed by diffusers itself, and so is what is traced or compiled.
    """

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, **named: object) -> _Answer:
        """Return the prediction (rows, 4, height, width) for latents, timesteps (rows) and conditionings.

        Timesteps should be on the CPU: their values are read.
        """
        traced = torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None  # noqa: SLF001 - its only way
        if traced or named != _AS_PAINTING_CALLS or not self._layers.plain:
            return super().forward(sample, timestep.to(sample.device), encoder_hidden_states, **named)
        return (self.predict(sample, self.inputs(timestep.tolist(), encoder_hidden_states)),)

    def inputs(self, times: Sequence[float], context: Tensor) -> StepInputs:
        """Return what a call at these timesteps with conditionings (rows, tokens, dim) takes, kept or computed."""
        self._layers.join()
        return StepInputs(self._times(times), self._memory.keys_values(context, self._keys_values))

    def tensors(self) -> dict[str, Tensor]:
        """Return by name what `predict` computes with: the weights, and the joined matrices of which some are parts."""
        self._layers.join()
        return {**self.state_dict(), **self._layers.joined(self)}

    @property
    def is_plain(self) -> bool:
        """Return whether it is built as Stable Diffusion 1.x is, so that `predict` computes it."""
        return self._layers.plain

    def forget(self) -> None:
        """Drop what was computed of the weights: they have changed."""
        self.__dict__.pop("_memory_", None)

    def predict(self, sample: Tensor, inputs: StepInputs) -> Tensor:
        """Return the prediction; nothing in here depends on earlier calls, reads a number or decides by one."""
        times, keys_values = iter(inputs.times), iter(inputs.keys_values)
        skipped = [self.conv_in(sample)]
        for block in self.down_blocks:
            skipped.extend(lean_layers.down(block, skipped[-1], times, keys_values))
        hidden = lean_layers.middle(self.mid_block, skipped[-1], times, keys_values)
        for block in self.up_blocks:
            hidden = lean_layers.up(block, hidden, skipped, times, keys_values)
        answer: Tensor = self.conv_out(F.silu(self.conv_norm_out(hidden), inplace=True))
        return answer

    def _times(self, times: Sequence[float]) -> Sequence[Tensor]:
        """Return what the time adds to each layer (rows, channels, 1, 1), with one row where all have the same."""
        different = list(dict.fromkeys(times))
        each = [self._memory.times(time, self._additions) for time in different]
        if len(each) == 1:
            return each[0]
        places = [different.index(time) for time in times]
        return [torch.cat([layer[place] for place in places]) for layer in zip(*each, strict=True)]

    def _additions(self, time: float) -> Sequence[Tensor]:
        weight = self.conv_in.weight
        embedded = self.time_proj(torch.tensor([time], device=weight.device)).to(weight.dtype)
        activated = F.silu(self.time_embedding(embedded))
        return [resnet.time_emb_proj(activated)[:, :, None, None] for resnet in self._layers.resnets]

    def _keys_values(self, context: Tensor) -> _KeysValues:
        split = lean_layers.split
        layers = [block.attn2 for block in self._layers.blocks]
        return [(split(each.to_k(context), each.heads), split(each.to_v(context), each.heads)) for each in layers]

    @property
    def _layers(self) -> Layers:
        return _made(self, "_layers_", lambda: Layers(self))

    @property
    def _memory(self) -> "_Memory":
        return _made(self, "_memory_", _Memory)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "LeanUnet":  # noqa: FBT001, FBT002 - torch's
        """Move or convert every tensor; matrices are joined again at the next call."""
        super()._apply(fn, recurse)
        self.forget()
        self.__dict__.pop("_layers_", None)
        return self


def _made(owner: nn.Module, name: str, make: Callable[[], _Kept]) -> _Kept:
    """Return an attribute that is made when it is first asked for, and that torch does not take for a layer."""
    if owner.__dict__.get(name) is None:
        owner.__dict__[name] = make()
    return cast("_Kept", owner.__dict__[name])


class _Memory:
    """What was computed of the present weights, as much as is kept."""

    def __init__(self) -> None:
        self._contexts: OrderedDict[int, tuple[ReferenceType[Tensor], _KeysValues]] = OrderedDict()
        self._additions: OrderedDict[float, Sequence[Tensor]] = OrderedDict()

    def __deepcopy__(self, memo: dict[int, object]) -> None:
        """Leave it to a copied network to compute its own."""

    def keys_values(self, context: Tensor, compute: Callable[[Tensor], _KeysValues]) -> _KeysValues:
        """Return the keys and values of a tensor."""
        kept = self._contexts.get(id(context))
        if kept is not None and kept[0]() is context:
            return kept[1]
        computed = compute(context)
        self._contexts[id(context)] = ref(context), computed
        self._contexts.move_to_end(id(context))
        self._shrink()
        return computed

    def _shrink(self) -> None:
        """Drop the keys and values of tensors that are gone, and the oldest where they are too many."""
        tokens = 0
        for key, (owner, _) in reversed(list(self._contexts.items())):
            context = owner()
            tokens += 0 if context is None else context.shape[0] * context.shape[1]
            if context is None or (tokens > _TOKENS and key != next(reversed(self._contexts))):
                del self._contexts[key]

    def times(self, time: float, compute: Callable[[float], Sequence[Tensor]]) -> Sequence[Tensor]:
        """Return what a timestep adds."""
        if time not in self._additions:
            self._additions[time] = compute(time)
            if len(self._additions) > _TIMES:
                self._additions.popitem(last=False)
        return self._additions[time]
