"""From a network that predicts noise (or velocity) to denoised latents, guided by prompts, many pictures at once.

The latents of a picture at noise level sigma are scaled to unit variance and given to the UNet with sigma's fractional
timestep. Classifier-free guidance (Ho & Salimans 2022) moves from the negative prompt's answer towards those of the
positive prompt's weighted parts (Liu et al. 2022, "Compositional visual generation").
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.conditioning.schedule import WeightedConditioning, pad
from pastelbot.diffusion.lora.patch import NO_LORAS, LoraSet
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.sampling.schedules import ModelSigmas

_CONSISTENCY_SCALE = 10.0  # of the timestep


@dataclass(frozen=True, kw_only=True, eq=False)
class DenoiseRequest:
    """A picture's latents to denoise: latents (channels, height, width) at `sigma`, and what should be seen in them.

    `levels` are those of the model, which a distilled one has fewer of. `positive` holds the parts of the prompt with
    their weights, `negative` the negative prompt (tokens, dim), `loras` what the UNet has in its weights.
    `without_negative` leaves the negative prompt out: the first part stands in for it, with a scale of 1.
    `unguided_too` asks for the negative prompt's answer beside the guided one. `source` are further channels, which a
    UNet for inpainting takes.
    """

    x: Tensor
    sigma: float
    levels: ModelSigmas
    positive: WeightedConditioning
    negative: Tensor
    cfg_scale: float
    without_negative: bool = False
    unguided_too: bool = False
    source: Tensor | None = None
    loras: LoraSet = NO_LORAS

    @property
    def guided(self) -> bool:
        """Return whether the negative prompt makes a difference."""
        return not self.without_negative and self._is_weighted

    @property
    def _is_weighted(self) -> bool:
        return self.unguided_too or self.cfg_scale != 1 or len(self.positive) != 1 or self.positive[0][1] != 1

    @property
    def row_count(self) -> int:
        """Return how many rows of a UNet batch this takes."""
        return len(self.positive) + self.guided

    def rows(self) -> list[Tensor]:
        """Return the conditionings (tokens, dim) that the UNet is called with, the negative one last."""
        tokens = max(part.shape[0] for part, _ in self.positive)
        parts = [pad(part, tokens) for part, _ in self.positive]
        return [*parts, self.negative] if self.guided else parts

    def combine(self, rows: Sequence[Tensor]) -> Tensor:
        """Return the guided answer from those to `rows`, or both answers as one tensor."""
        if not self.guided and not self.without_negative:
            return rows[0]
        parts, negative, scale = (rows[:-1], rows[-1], self.cfg_scale) if self.guided else (rows, rows[0], 1.0)
        guided = negative
        for row, (_, weight) in zip(parts, self.positive, strict=True):
            guided = guided + (row - negative) * (weight * scale)
        return torch.stack([guided, negative]) if self.unguided_too else guided

    def shown(self, answer: Tensor) -> Tensor:
        """Return the guided one of the answers that `combine` returned."""
        return answer[0] if self.unguided_too else answer


@dataclass(frozen=True, eq=False)
class _Row:
    """One row of a UNet batch: picture number `picture` with one of its conditionings."""

    picture: int
    place: int
    x: Tensor
    sigma: float
    levels: ModelSigmas
    conditioning: Tensor
    source: Tensor | None


class Denoiser:
    """Denoises the latents of several pictures in as few calls of the UNet as possible."""

    def __init__(
        self, unet: UNet2DConditionModel | CompiledUnet, *, prediction_type: str, device: torch.device
    ) -> None:
        self._unet = unet
        self._velocity = prediction_type == "v_prediction"
        self._device = device
        self._dtype = unet.dtype

    def denoise(self, requests: Sequence[DenoiseRequest], *, max_rows: int) -> list[Tensor]:
        """Return each request's guided denoised latents (channels, height, width) in float32, or both answers."""
        answers: list[list[Tensor]] = [[request.x] * len(request.rows()) for request in requests]
        for group in _groups(_rows(requests), max_rows):
            for row, denoised in zip(group, self._call(group), strict=True):
                answers[row.picture][row.place] = denoised
        return [request.combine(rows) for request, rows in zip(requests, answers, strict=True)]

    def _call(self, rows: Sequence[_Row]) -> Tensor:
        """Return the rows' denoised latents (rows, channels, height, width)."""
        x = torch.stack([row.x for row in rows])
        sigma = torch.tensor([row.sigma for row in rows])
        times = [row.levels.timestep(row.sigma) for row in rows]
        timesteps = torch.tensor(times)
        c_in = 1 / (sigma**2 + 1) ** 0.5
        # Elsewhere than on CUDA the numbers may be gone before they are read.
        soon = self._device.type == "cuda"
        sigma, timesteps, c_in = (values.to(self._device, non_blocking=soon) for values in (sigma, timesteps, c_in))
        sigma, c_in = sigma.view(-1, 1, 1, 1), c_in.view(-1, 1, 1, 1)
        context = torch.stack([row.conditioning for row in rows]).to(self._dtype)
        sources = [row.source for row in rows if row.source is not None]
        shown = torch.cat([x * c_in, torch.stack(sources)], dim=1) if sources else x * c_in
        scaled = shown.to(self._dtype, memory_format=torch.channels_last)
        predicted: Tensor = self._unet(scaled, timesteps, context, return_dict=False)[0].float()
        # Salimans & Ho 2022: v = alpha eps - sigma x0
        denoised = x * c_in**2 - predicted * (sigma * c_in) if self._velocity else x - predicted * sigma
        for place, (row, time) in enumerate(zip(rows, times, strict=True)):
            if row.levels.stride > 1:
                denoised[place] = _consistent(denoised[place], row.x, time)
        return denoised


def _consistent(denoised: Tensor, x: Tensor, timestep: float) -> Tensor:
    """Return the answer of a consistency model, which at the least noise is its input (Luo et al. 2023, appendix C)."""
    scaled, variance = _CONSISTENCY_SCALE * timestep, 0.25
    c_skip = variance / (scaled**2 + variance)
    return denoised * (scaled / math.sqrt(scaled**2 + variance)) + x * c_skip


def _rows(requests: Sequence[DenoiseRequest]) -> Iterator[_Row]:
    for index, request in enumerate(requests):
        for place, conditioning in enumerate(request.rows()):
            yield _Row(index, place, request.x, request.sigma, request.levels, conditioning, request.source)


def _groups(rows: Iterable[_Row], max_rows: int) -> Iterator[list[_Row]]:
    """Yield rows that can share a call: equal sizes, equally long conditionings, at most `max_rows` of them."""
    alike: defaultdict[tuple[torch.Size, int], list[_Row]] = defaultdict(list)
    for row in rows:
        alike[row.x.shape, row.conditioning.shape[0]].append(row)
    for group in alike.values():
        for start in range(0, len(group), max_rows):
            yield group[start : start + max_rows]
