"""Samplers that their papers write for latents of unit variance; here they have the same form as the others.

With alpha = 1 / sqrt(1 + sigma**2) the papers' latents are alpha * x, so the same formulas hold for x with alpha 1.
They stop at the last level that they are given, which is above zero. See `samplers` for the form.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from pastelbot.diffusion.sampling.samplers import Sampler, StepNoise, Steps, exponential_step
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.records import SamplingOptions

LAST_TIMESTEP = 999

# From ascending timesteps, the timestep at which an evenly spaced pass begins, and how, to descending levels.
Spacing = Callable[[ModelSigmas, Sequence[int], int, str], list[float]]

# The papers' simplification for UniPC's lowest order: half of B(h).
_LOWEST: Mapping[str, Callable[[float], float]] = {"bh1": lambda h: 0.5 * h, "bh2": lambda h: -0.5 * math.expm1(-h)}

_ADAMS_BASHFORTH = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))


def _sample_ddim(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Step along the predicted noise, `eta_ddim` of it replaced by new noise (Song et al. 2021, equation 12).

    With an eta of 0 it is Euler's step in sigma.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        new = options.eta_ddim * _ddim_noise(sigma, sigma_next)
        x = denoised + (x - denoised) * (math.sqrt(max(0.0, sigma_next**2 - new**2)) / sigma)
        if new > 0:
            x = x + noise(sigma, sigma_next) * new
    return x


def _sample_ddim_plus(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Step from the guided answer along the noise that was predicted without guidance (CFG++, Chung et al. 2024)."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised, unguided = yield x, sigma
        new = options.eta_ddim * _ddim_noise(sigma, sigma_next)
        x = denoised + (x - unguided) * (math.sqrt(max(0.0, sigma_next**2 - new**2)) / sigma)
        if new > 0:
            x = x + noise(sigma, sigma_next) * new
    return x


def _ddim_noise(sigma: float, sigma_next: float) -> float:
    """Return the noise that makes a step that of DDPM (Song et al. 2021, equation 16), on latents not scaled down."""
    alpha, alpha_next = 1 / (1 + sigma**2), 1 / (1 + sigma_next**2)
    variance = (1 - alpha_next) / (1 - alpha) * (1 - alpha / alpha_next)
    return math.sqrt(variance / alpha_next)


def _sample_plms(x: Tensor, sigmas: Sequence[float], _noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Extrapolate the last four predicted noises (PNDM, Liu et al. 2022, with an improved Euler step to begin with)."""
    history: list[Tensor] = []
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        history = [(x - denoised) / sigma, *history[:3]]
        if len(history) == 1:
            ahead = x + history[0] * (sigma_next - sigma)
            denoised_2 = yield ahead, sigma_next
            d = (history[0] + (ahead - denoised_2) / sigma_next) / 2
        else:
            d = torch.stack(history).mul(_column(_ADAMS_BASHFORTH[len(history) - 1], history[0])).sum(0)
        x = x + d * (sigma_next - sigma)
    return x


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, *[1] * like.dim())


def _sample_unipc(x: Tensor, sigmas: Sequence[float], _noise: StepNoise, options: SamplingOptions) -> Steps:
    """Predict and correct with the same model call (UniPC, Zhao et al. 2023, data prediction).

    B(h) is h, or e^h - 1 in the variant "bh2". The order grows over the first steps and shrinks over the last ones; the
    last step is not corrected.
    """
    order, lowest = options.unipc_order, _LOWEST[options.unipc_variant]
    steps = len(sigmas) - 1
    denoised = yield x, sigmas[0]
    history = [denoised]  # newest first
    for step in range(1, steps + 1):
        step_order = min(order, step, steps + 1 - step)
        levels = [sigmas[step - 1 - k] for k in range(step_order)]
        base = exponential_step(x, history[0], sigmas[step - 1], sigmas[step])
        slopes = _slopes(history, levels, sigmas[step])
        x = base + _weighted(_unipc_weights(levels, sigmas[step], lowest, corrected=False), slopes, base)
        if step < steps:
            denoised = yield x, sigmas[step]
            slopes.append(denoised - history[0])
            x = base + _weighted(_unipc_weights(levels, sigmas[step], lowest, corrected=True), slopes, base)
            history = [denoised, *history[: order - 1]]
    return x


def _slopes(history: list[Tensor], levels: Sequence[float], sigma_next: float) -> list[Tensor]:
    """Return the divided differences of earlier denoised latents, in units of this step."""
    h = math.log(levels[0] / sigma_next)
    return [
        (older - history[0]) * (h / math.log(levels[0] / level))
        for older, level in zip(history[1:], levels[1:], strict=False)
    ]


def _weighted(weights: Sequence[float], slopes: Sequence[Tensor], like: Tensor) -> Tensor:
    total = torch.zeros_like(like)
    for weight, slope in zip(weights, slopes, strict=True):
        total = total + weight * slope
    return total


def _unipc_weights(
    levels: Sequence[float], sigma_next: float, lowest: Callable[[float], float], *, corrected: bool
) -> list[float]:
    """Solve the order conditions (Zhao et al. 2023, equation 13) for the weights of the slopes."""
    h = math.log(levels[0] / sigma_next)
    order = len(levels)
    places = [math.log(levels[0] / level) / h for level in levels[1:]] + [1.0]
    size = order if corrected else order - 1
    if size == 0:
        return []
    if size == 1:
        return [lowest(h)]
    rows = np.array([[place**k for place in places[:size]] for k in range(size)])
    return [float(weight) * h for weight in np.linalg.solve(rows, _phi_moments(h, size))]


def _phi_moments(h: float, count: int) -> list[float]:
    """Return k! phi_{k+1}(-h) / h * h for k = 1 .. count: the exponential integrals of the monomials."""
    moments = []
    phi = math.expm1(-h) / -h - 1
    factorial = 1
    for k in range(1, count + 1):
        moments.append(phi * factorial / -h)
        factorial *= k + 1
        phi = phi / -h - 1 / factorial
    return moments


def whole_timesteps(steps: int) -> list[int]:
    """Return timesteps 1, 1 + stride, ... ascending; the stride is whole, so there may be more of them than `steps`."""
    return [min(timestep + 1, LAST_TIMESTEP) for timestep in range(0, 1000, max(1000 // steps, 1))]


def whole_levels(model: ModelSigmas, timesteps: Sequence[int], _start: int, _how: str = "") -> list[float]:
    """Return the levels of the timesteps themselves."""
    return [float(model.sigmas[timestep]) for timestep in reversed(timesteps)]


def _even_levels(model: ModelSigmas, timesteps: Sequence[int], start: int, how: str) -> list[float]:
    """Space as many steps evenly from `start` to 0, in time, its square root or lambda, as UniPC's authors name it."""
    count = len(timesteps) + 1
    if how == "logSNR":
        logs = torch.linspace(math.log(model.sigmas[start]), math.log(model.sigmas[0]), count)
        return [float(sigma) for sigma in logs.exp()]
    if how == "time_quadratic":
        places = torch.linspace(math.sqrt(start + 1), 1, count, dtype=torch.float64) ** 2 - 1
    else:
        places = torch.linspace(start, 0, count)
    # log alpha is linear between whole timesteps
    return [float(sigma) for sigma in model.at_linear_alpha(places.clamp(0, start))]


def spacing(sampler: str) -> Spacing:
    """Return how a sampler spaces its levels."""
    return _SPACINGS.get(sampler, whole_levels)


RUN: dict[str, Sampler] = {
    "DDIM": _sample_ddim,
    "DDIM CFG++": _sample_ddim_plus,
    "PLMS": _sample_plms,
    "UniPC": _sample_unipc,
}
_SPACINGS: Mapping[str, Spacing] = {"UniPC": _even_levels}
