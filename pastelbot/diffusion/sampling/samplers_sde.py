"""Samplers of the stochastic equation: they put noise back while they walk down, as much as `eta` says.

DPM-Solver++ (Lu et al. 2022) solves dx = (x - denoised) dlambda-wise exactly between two levels; the stochastic
equation adds eta times the same contraction and the noise that keeps the variance (Song et al. 2021; SA-Solver, Xue
et al. 2023). See `samplers` for the form.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from pastelbot.diffusion.sampling.samplers import (
    Sampler,
    StepNoise,
    Steps,
    ancestral_split,
    exponential_step,
    heun_step,
)
from pastelbot.diffusion.sampling.schedules import karras_between
from pastelbot.records import SamplingOptions

_RESTART_SPAN = (0.1, 2.0)


def _sample_dpmpp_sde(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Take a middle-point step of DPM-Solver++, each half of it below its level and noised up to it."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        start, middle, end = _halved(sigma, sigma_next)
        sigma_down, sigma_up = ancestral_split(start, middle, options.eta)
        x_2 = exponential_step(x, denoised, start, sigma_down) + noise(start, middle) * (options.noise * sigma_up)
        denoised_2 = yield x_2, middle
        sigma_down, sigma_up = ancestral_split(start, end, options.eta)
        x = exponential_step(x, denoised_2, start, sigma_down) + noise(start, end) * (options.noise * sigma_up)
    return x


def _halved(sigma: float, sigma_next: float) -> tuple[float, float, float]:
    """Return a step's ends and its middle in lambda, rounded as float32 rounds on the way there and back.

    A Brownian path changes visibly over a millionth, so the webui's noise needs the webui's rounding.
    """
    first, last = -torch.tensor([sigma, sigma_next]).log()
    start, middle, end = torch.stack([first, first + (last - first) * 0.5, last]).neg().exp().tolist()
    return start, middle, end


def _sample_dpmpp_2m_sde(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Extrapolate the denoised latents over two steps, correcting at the middle of the step."""
    return (yield from _two_step(x, sigmas, noise, options, heun=False))


def _sample_dpmpp_2m_sde_heun(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Extrapolate the denoised latents over two steps, correcting with the slope over the whole step."""
    return (yield from _two_step(x, sigmas, noise, options, heun=True))


def _two_step(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions, *, heun: bool) -> Steps:
    previous: Tensor | None = None
    h_last = 0.0
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        h = math.log(sigma / sigma_next)
        h_eta = h * (1 + options.eta)
        reach = -math.expm1(-h_eta)
        x = math.exp(-h_eta) * x + reach * denoised
        if previous is not None:
            slope_weight = 1 - reach / h_eta if heun else 0.5 * reach
            x = x + (denoised - previous) * (slope_weight * h / h_last)
        x = x + noise(sigma, sigma_next) * _added(sigma_next, h, options)
        previous, h_last = denoised, h
    return x


def _sample_dpmpp_3m_sde(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Extrapolate the denoised latents over three steps, with the exponential integrals phi 2 and phi 3."""
    history: list[tuple[Tensor, float]] = []  # earlier denoised latents, newest first, and the step taken from each
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        h = math.log(sigma / sigma_next)
        h_eta = h * (1 + options.eta)
        x = math.exp(-h_eta) * x - math.expm1(-h_eta) * denoised
        if history:
            phi_2 = math.expm1(-h_eta) / h_eta + 1
            slope, curve = _differences(denoised, history, h)
            x = x + phi_2 * slope
            if curve is not None:
                x = x - (phi_2 / h_eta - 0.5) * curve
        x = x + noise(sigma, sigma_next) * _added(sigma_next, h, options)
        history = [(denoised, h), *history[:1]]
    return x


def _differences(denoised: Tensor, history: list[tuple[Tensor, float]], h: float) -> tuple[Tensor, Tensor | None]:
    """Return the first and, with two earlier values, second difference of the denoised latents in units of `h`."""
    (last, h_1), *older = history
    first = (denoised - last) * (h / h_1)
    if not older:
        return first, None
    ((before, h_2),) = older
    r_1, r_2 = h_1 / h, h_2 / h
    earlier = (last - before) / r_2
    curve = (first - earlier) / (r_1 + r_2)
    return first + curve * r_1, curve


def _added(sigma_next: float, h: float, options: SamplingOptions) -> float:
    """Return the standard deviation of the noise that a step of length `h` in lambda puts back."""
    return options.noise * sigma_next * math.sqrt(-math.expm1(-2 * h * options.eta))


def _sample_restart(x: Tensor, sigmas: Sequence[float], noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Walk down with Heun's steps, then noise back up from about 0.1 to 2 and walk down again (Xu et al. 2023).

    From 20 steps on, 9 of them (from 36 on, two quarters) are spent on going back, on shorter Karras schedules.
    """
    level = sigmas[0]
    for sigma, sigma_next in _restarted(sigmas):
        if sigma > level:
            x = x + noise(level, sigma) * math.sqrt(sigma**2 - level**2)
        x = yield from heun_step(x, sigma, sigma_next)
        level = sigma_next
    return x


def _restarted(sigmas: Sequence[float]) -> Iterator[tuple[float, float]]:
    steps = len(sigmas) - 1
    again, times = (steps // 4, 2) if steps >= 36 else (9, 1) if steps >= 20 else (0, 0)
    if times == 0:
        yield from pairwise(sigmas)
        return
    walked = [*karras_between(sigmas[0], sigmas[-2], steps - again * times), 0.0]
    low, high = (min(range(len(walked)), key=lambda i: abs(walked[i] - level)) for level in _RESTART_SPAN)
    for place, step in enumerate(pairwise(walked), 1):
        yield step
        if place == low and high < low:
            for _ in range(times):
                yield from pairwise(karras_between(walked[high], walked[low], again + 1))


def _sample_lcm(x: Tensor, sigmas: Sequence[float], noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Take the denoised latents for the answer and noise them to the next level (Luo et al. 2023, algorithm 3)."""
    for sigma, sigma_next in pairwise(sigmas):
        x = yield x, sigma
        if sigma_next > 0:
            x = x + noise(sigma, sigma_next) * sigma_next
    return x


def _sample_tcd(x: Tensor, sigmas: Sequence[float], noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Step along the trajectory to a level below the next one and noise up to it (Zheng et al. 2024, algorithm 4).

    Every second of `sigmas` is such a level.
    """
    for sigma, below, sigma_next in zip(sigmas[::2], sigmas[1::2], sigmas[2::2], strict=False):
        denoised = yield x, sigma
        x = denoised + (x - denoised) * (below / sigma)
        if sigma_next > below:
            x = x + noise(sigma, sigma_next) * math.sqrt(sigma_next**2 - below**2)
    return x


RUN: dict[str, Sampler] = {
    "DPM++ SDE": _sample_dpmpp_sde,
    "DPM++ 2M SDE": _sample_dpmpp_2m_sde,
    "DPM++ 2M SDE Heun": _sample_dpmpp_2m_sde_heun,
    "DPM++ 3M SDE": _sample_dpmpp_3m_sde,
    "Restart": _sample_restart,
    "LCM": _sample_lcm,
    "TCD": _sample_tcd,
}
