"""From a network that predicts noise (or velocity) to denoised latents, guided by prompts, many pictures at once.

The latents of a picture at noise level sigma are scaled to unit variance and given to the UNet with sigma's fractional
timestep. Classifier-free guidance (Ho & Salimans 2022) moves from the negative prompt's answer towards those of the
positive prompt's weighted parts (Liu et al. 2022, "Compositional visual generation").
"""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
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
        """Return the guided answer from those to `rows`, or both answers as one tensor."""
        if not self.guided and not self.without_negative:
            return rows[0]
        parts, negative, scale = (rows[:-1], rows[-1], self.cfg_scale) if self.guided else (rows, rows[0], 1.0)
        guided = negative
        for row, (_, weight) in zip(parts, self.positive, strict=True):
            guided = (row - negative).mul_(weight * scale).add_(guided)
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


class Denoiser:
    """Denoises the latents of several pictures in as few calls of the UNet as possible.

    The coefficients are Python's floats, picture by picture: nothing waits for the device, and a picture's numbers do
    not depend on its company's. A batch's conditionings are stacked once, by which the UNet knows them again.
    """

    def __init__(
        self, unet: UNet2DConditionModel | CompiledUnet, *, prediction_type: str, device: torch.device
    ) -> None:
        self._unet = unet
        self._velocity = prediction_type == "v_prediction"
        self._device = device
        self._dtype = unet.dtype
        self._stacks: OrderedDict[tuple[int, ...], tuple[Tensor, Sequence[Tensor]]] = OrderedDict()

    def denoise(self, requests: Sequence[DenoiseRequest], *, max_rows: int) -> list[Tensor]:
        """Return each request's guided denoised latents (channels, height, width) in float32, or both answers."""
        answers: list[list[Tensor]] = [[request.x] * request.row_count for request in requests]
        for group in _groups(requests, max_rows):
            for (picture, place), denoised in zip(group, self._call(requests, group), strict=True):
                answers[picture][place] = denoised
        return [request.guidance.combine(rows) for request, rows in zip(requests, answers, strict=True)]

    def _call(self, requests: Sequence[DenoiseRequest], group: Sequence[_Row]) -> Iterator[Tensor]:
        """Yield the denoised latents of each row."""
        pictures = [(requests[number], len(list(rows))) for number, rows in groupby(group, lambda row: row.picture)]
        context = self._context([requests[picture].guidance.rows[place] for picture, place in group])
        times = [request.levels.timestep(request.sigma) for request, count in pictures for _ in range(count)]
        predicted = self._unet(self._shown(pictures, len(group)), torch.tensor(times), context, return_dict=False)[0]
        if predicted.dtype != torch.float32:
            predicted = predicted.float()
        start = 0
        for request, count in pictures:
            own = predicted if count == len(group) else predicted[start : start + count]
            yield from self._denoised(request, own, times[start]).unbind()
            start += count

    def _shown(self, pictures: Sequence[tuple[DenoiseRequest, int]], rows: int) -> Tensor:
        """Return what the UNet sees, each picture as often as it has rows."""
        first = _shown(pictures[0][0])
        shape = (rows, *first.shape)
        batch = torch.empty(shape, dtype=self._dtype, device=self._device, memory_format=torch.channels_last)
        if len(pictures) == 1:
            return batch.copy_(first)
        start = 0
        for request, count in pictures:
            batch[start : start + count] = _shown(request)
            start += count
        return batch

    def _denoised(self, request: DenoiseRequest, predicted: Tensor, time: float) -> Tensor:
        """Return the denoised latents of a picture's rows."""
        x, sigma = request.x, request.sigma
        if self._velocity:  # Salimans & Ho 2022: v = alpha eps - sigma x0
            alpha = _alpha(sigma)
            denoised = x * alpha**2 - predicted * (sigma * alpha)
        else:
            denoised = (predicted * -sigma).add_(x)
        return _consistent(denoised, x, time) if request.levels.stride > 1 else denoised

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


def _alpha(sigma: float) -> float:
    """Return what scales latents to unit variance."""
    return 1 / math.sqrt(sigma**2 + 1)


def _shown(request: DenoiseRequest) -> Tensor:
    """Return a picture's latents as the UNet knows them, with the further channels of one for inpainting."""
    scaled = request.x * _alpha(request.sigma)
    return scaled if request.source is None else torch.cat([scaled, request.source])


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
