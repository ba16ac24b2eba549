"""From a network that predicts noise (or velocity) to denoised latents, guided by prompts, many pictures at once.

The latents of a picture at noise level sigma are scaled to unit variance and given to the UNet with sigma's fractional
timestep. Classifier-free guidance (Ho & Salimans 2022) moves from the negative prompt's answer towards those of the
positive prompt's weighted parts (Liu et al. 2022, "Compositional visual generation").
"""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.conditioning.schedule import WeightedConditioning, pad
from pastelbot.diffusion.lora.patch import NO_LORAS, LoraSet
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.sampling.schedules import ModelSigmas

_CONSISTENCY_SCALE = 10.0  # of the timestep
_STACKS = 8  # batches of conditionings that are kept
_TIMES = 1024  # batches of timesteps


@dataclass(frozen=True, kw_only=True, eq=False)
class Guidance:
    """What should be seen in a picture, and what should not; the same object serves all steps in which it is the same.

    `positive` holds the parts of the prompt with their weights, `negative` the negative prompt (tokens, dim).
    `without_negative` leaves the negative prompt out: the first part stands in for it, with a scale of 1.
    `unguided_too` asks for the negative prompt's answer beside the guided one.
    """

    positive: WeightedConditioning
    negative: Tensor
    cfg_scale: float
    without_negative: bool = False
    unguided_too: bool = False

    @cached_property
    def guided(self) -> bool:
        """Return whether the negative prompt makes a difference."""
        return not self.without_negative and self._is_weighted

    @property
    def _is_weighted(self) -> bool:
        return self.unguided_too or self.cfg_scale != 1 or len(self.positive) != 1 or self.positive[0][1] != 1

    @cached_property
    def rows(self) -> tuple[Tensor, ...]:
        """Return the conditionings (tokens, dim) that the UNet is called with, the negative one last."""
        tokens = max(part.shape[0] for part, _ in self.positive)
        parts = tuple(pad(part, tokens) for part, _ in self.positive)
        return (*parts, self.negative) if self.guided else parts

    def combine(self, rows: Sequence[Tensor]) -> Tensor:
        """Return the guided prediction from those to `rows`, or both predictions as one tensor."""
        if len(rows) == 1 and not self.unguided_too:
            return rows[0]
        parts, negative, scale = (rows[:-1], rows[-1], self.cfg_scale) if self.guided else (rows, rows[0], 1.0)
        guided = torch.lerp(negative, parts[0], self.positive[0][1] * scale)
        for row, (_, weight) in zip(parts[1:], self.positive[1:], strict=True):
            guided = guided.add_(row - negative, alpha=weight * scale)
        return torch.stack([guided, negative]) if self.unguided_too else guided

    def shown(self, answer: Tensor) -> Tensor:
        """Return the guided one of the answers that `combine` returned."""
        return answer[0] if self.unguided_too else answer


@dataclass(frozen=True, slots=True, eq=False)
class DenoiseRequest:
    """A picture's latents to denoise: latents (channels, height, width) at `sigma`, and what should be seen in them.

    `levels` are those of the model, which a distilled one has fewer of. `source` are further channels, which a UNet for
    inpainting takes, and `loras` what it has in its weights.
    """

    x: Tensor
    sigma: float
    levels: ModelSigmas
    guidance: Guidance
    loras: LoraSet = NO_LORAS
    source: Tensor | None = None

    @property
    def row_count(self) -> int:
        """Return how many rows of a UNet batch this takes."""
        return len(self.guidance.rows)


class _Row(NamedTuple):
    """One row of a UNet batch: picture number `picture` with the conditioning of its `place`."""

    picture: int
    place: int


@dataclass(frozen=True, eq=False)
class _Batch:
    """One call of the UNet, the same in all steps in which the same pictures want the same.

    `shown` is what the UNet sees (rows, channels, height, width); `pictures` has the number of each picture and its
    part of that, `context` the rows' conditionings (rows, tokens, dim).
    """

    rows: Sequence[_Row]
    pictures: Sequence[tuple[int, Tensor]]
    shown: Tensor
    context: Tensor

    def times(self, requests: Sequence[DenoiseRequest]) -> Tensor:
        """Return the timestep of each row."""
        each = [request.levels.timestep(request.sigma) for request in requests]
        return _timesteps(tuple([each[picture] for picture, _ in self.rows]))

    def show(self, requests: Sequence[DenoiseRequest]) -> None:
        """Let the UNet see the pictures' latents at unit variance, and the further channels of one for inpainting."""
        for picture, part in self.pictures:
            request = requests[picture]
            scaled = request.x * _alpha(request.sigma)
            part.copy_(scaled if request.source is None else torch.cat([scaled, request.source]))


class Denoiser:
    """Denoises the latents of several pictures in as few calls of the UNet as possible.

    The coefficients are Python's floats, picture by picture: nothing waits for the device, and a picture's numbers do
    not depend on its company's. A batch's conditionings are stacked once, by which the UNet knows them again. What the
    network predicts is guided before the latents are denoised by it, which is the same, as both are linear.
    """

    def __init__(
        self, unet: UNet2DConditionModel | CompiledUnet, *, prediction_type: str, device: torch.device
    ) -> None:
        self._unet = unet
        self._velocity = prediction_type == "v_prediction"
        self._device = device
        self._dtype = unet.dtype
        self._stacks: OrderedDict[tuple[int, ...], tuple[Tensor, Sequence[Tensor]]] = OrderedDict()
        self._batches: OrderedDict[object, tuple[Sequence[_Batch], Sequence[Guidance]]] = OrderedDict()

    def denoise(self, requests: Sequence[DenoiseRequest], *, max_rows: int) -> list[Tensor]:
        """Return each request's guided denoised latents (channels, height, width) in float32, or both answers."""
        batches = self._batches_of(requests, max_rows)
        predicted: list[list[Tensor]] = [[request.x] * request.row_count for request in requests]
        for batch in batches:
            batch.show(requests)
            answer = self._unet(batch.shown, batch.times(requests), batch.context, return_dict=False)[0]
            for (picture, place), row in zip(batch.rows, answer.float().unbind(), strict=True):
                predicted[picture][place] = row
        return [
            self._denoised(request, request.guidance.combine(rows))
            for request, rows in zip(requests, predicted, strict=True)
        ]

    def _denoised(self, request: DenoiseRequest, predicted: Tensor) -> Tensor:
        """Return the denoised latents of a picture."""
        x, sigma = request.x, request.sigma
        if self._velocity:  # Salimans & Ho 2022: v = alpha eps - sigma x0
            alpha = _alpha(sigma)
            denoised = torch.sub(x * alpha**2, predicted, alpha=sigma * alpha)
        else:
            denoised = torch.sub(x, predicted, alpha=sigma)
        return _consistent(denoised, x, request.levels.timestep(sigma)) if request.levels.mixes else denoised

    def _batches_of(self, requests: Sequence[DenoiseRequest], max_rows: int) -> Sequence[_Batch]:
        """Return the calls for these requests: the same ones as long as pictures and guidance are the same."""
        key = (max_rows, *[(id(request.guidance), request.x.shape) for request in requests])
        kept = self._batches.get(key)
        if kept is None:
            made = [self._batch(requests, group) for group in _groups(requests, max_rows)]
            kept = self._batches[key] = made, [request.guidance for request in requests]  # whose numbers stay theirs
            if len(self._batches) > _STACKS:
                self._batches.popitem(last=False)
        return kept[0]

    def _batch(self, requests: Sequence[DenoiseRequest], rows: Sequence[_Row]) -> _Batch:
        request = requests[rows[0].picture]
        channels, *size = request.x.shape
        channels += 0 if request.source is None else request.source.shape[0]
        shape = (len(rows), channels, *size)
        shown = torch.empty(shape, dtype=self._dtype, device=self._device, memory_format=torch.channels_last)
        places = {row.picture: place for place, row in enumerate(rows)}  # the last one of each picture
        ends = [place + 1 for place in places.values()]
        pictures = [(picture, shown[a:b]) for picture, a, b in zip(places, [0, *ends], ends, strict=False)]
        context = self._context([requests[picture].guidance.rows[place] for picture, place in rows])
        return _Batch(rows, pictures, shown, context)

    def _context(self, conditionings: Sequence[Tensor]) -> Tensor:
        """Return the stack of a batch's conditionings: the same tensor as long as the batch is the same."""
        key = tuple(map(id, conditionings))
        kept = self._stacks.get(key)
        if kept is not None:
            return kept[0]
        stack = torch.stack(tuple(conditionings)).to(self._dtype)
        self._stacks[key] = stack, conditionings  # which keeps their numbers from being given to others
        if len(self._stacks) > _STACKS:
            self._stacks.popitem(last=False)
        return stack


@lru_cache(maxsize=_TIMES)
def _timesteps(each: tuple[float, ...]) -> Tensor:
    """Return timesteps as a tensor on the CPU, the same one for the same times."""
    return torch.tensor(each)


def _alpha(sigma: float) -> float:
    """Return what scales latents to unit variance."""
    return 1 / math.sqrt(sigma**2 + 1)


def _consistent(denoised: Tensor, x: Tensor, timestep: float) -> Tensor:
    """Return the answer of a consistency model, which at the least noise is its input (Luo et al. 2023, appendix C)."""
    scaled, variance = _CONSISTENCY_SCALE * timestep, 0.25
    c_skip = variance / (scaled**2 + variance)
    return denoised * (scaled / math.sqrt(scaled**2 + variance)) + x * c_skip


def _groups(requests: Sequence[DenoiseRequest], max_rows: int) -> Iterable[list[_Row]]:
    """Yield rows that can share a call: equal sizes, equally long conditionings, at most `max_rows` of them."""
    alike: defaultdict[tuple[torch.Size, int], list[_Row]] = defaultdict(list)
    for picture, request in enumerate(requests):
        for place, conditioning in enumerate(request.guidance.rows):
            alike[request.x.shape, conditioning.shape[0]].append(_Row(picture, place))
    for group in alike.values():
        for start in range(0, len(group), max_rows):
            yield group[start : start + max_rows]
