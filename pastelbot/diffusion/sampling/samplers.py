"""Samplers as generators: each yields the latents and sigma that it wants denoised and is sent the denoised latents.

    denoised = yield x, sigma

They walk from `sigmas[0]` down to `sigmas[-1]` and return the final latents. A sampler knows nothing of prompts,
guidance or batches, works on latents of any shape, and computes its coefficients in Python floats. `noise(sigma,
sigma_next)` gives unit noise for the step between two levels; samplers of ordinary differential equations never call
it. Those whose row says `cfg_plus` are sent two answers in one tensor, the guided one and the unguided one.

Sigma is the noise level of Karras et al. 2022 ("Elucidating the design space of diffusion-based generative models"),
where dx/dsigma = (x - denoised) / sigma. The DPM-Solver papers write lambda = -log(sigma).
"""

import math
from collections.abc import Callable, Generator, Sequence
from itertools import pairwise

import numpy as np
from torch import Tensor

from pastelbot.records import SamplingOptions

Steps = Generator[tuple[Tensor, float], Tensor, Tensor]
StepNoise = Callable[[float, float], Tensor]
Sampler = Callable[[Tensor, Sequence[float], StepNoise, SamplingOptions], Steps]


def ancestral_split(sigma: float, sigma_next: float, eta: float) -> tuple[float, float]:
    """Split a step to `sigma_next` into a deterministic step down and the noise added afterwards, `eta` of the chain's.

    Song et al. 2021 ("Score-based generative modeling"), the reverse of the variance exploding Markov chain.
    """
    up = min(sigma_next, eta * math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2))
    return math.sqrt(sigma_next**2 - up**2), up


def exponential_step(x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """Solve the equation exactly from `sigma` to `sigma_next` for constant `denoised` (DPM-Solver++, equation 9)."""
    ratio = sigma_next / sigma
    return (x * ratio).add_(denoised, alpha=1 - ratio)


def _churned(
    x: Tensor, sigmas: Sequence[float], i: int, noise: StepNoise, options: SamplingOptions
) -> tuple[Tensor, float]:
    """Return latents and level to begin step `i` at, noised up where churn asks for it.

    This is the noise of Karras et al. 2022, algorithm 2. It is drawn for each step, whether it is used or not, as in
    the webui.
    """
    sigma = sigmas[i]
    if options.churn == 0:
        return x, sigma
    drawn = noise(sigma, sigmas[i + 1])
    if not options.churn_least <= sigma <= (options.churn_most or math.inf):
        return x, sigma
    up = sigma * (1 + min(options.churn / (len(sigmas) - 1), math.sqrt(2) - 1))
    return x + drawn * (options.noise * math.sqrt(up**2 - sigma**2)), up


def _sample_euler(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Step along the tangent (Karras et al. 2022, algorithm 2 without its second order)."""
    for i, sigma_next in enumerate(sigmas[1:]):
        x, sigma = _churned(x, sigmas, i, noise, options)
        denoised = yield x, sigma
        x = x + (x - denoised) * ((sigma_next - sigma) / sigma)
    return x


def _sample_euler_ancestral(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Step along the tangent below the next level and add noise up to it."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        sigma_down, sigma_up = ancestral_split(sigma, sigma_next, options.eta)
        x = x + (x - denoised) * ((sigma_down - sigma) / sigma)
        if sigma_next > 0:
            x = x + noise(sigma, sigma_next) * sigma_up
    return x


def _sample_heun(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Average the tangents of both ends of a step (Karras et al. 2022, algorithm 1)."""
    for i, sigma_next in enumerate(sigmas[1:]):
        x, sigma = _churned(x, sigmas, i, noise, options)
        x = yield from heun_step(x, sigma, sigma_next)
    return x


def heun_step(x: Tensor, sigma: float, sigma_next: float) -> Steps:
    """Take one step with the tangents of both ends, or with the first one alone where the step ends at zero."""
    denoised = yield x, sigma
    d = (x - denoised) / sigma
    x_2 = x + d * (sigma_next - sigma)
    if sigma_next == 0:
        return x_2
    denoised_2 = yield x_2, sigma_next
    d_2 = (x_2 - denoised_2) / sigma_next
    return x + (d + d_2) * ((sigma_next - sigma) / 2)


def _sample_dpm_2(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Use the tangent at the geometric middle of a step (DPM-Solver-2, Lu et al. 2022, algorithm 1)."""
    for i, sigma_next in enumerate(sigmas[1:]):
        x, sigma = _churned(x, sigmas, i, noise, options)
        x = yield from _midpoint_step(x, sigma, sigma_next)
    return x


def _sample_dpm_2_ancestral(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Take DPM2's step below the next level and add noise up to it."""
    for sigma, sigma_next in pairwise(sigmas):
        sigma_down, sigma_up = ancestral_split(sigma, sigma_next, options.eta)
        x = yield from _midpoint_step(x, sigma, sigma_down)
        if sigma_next > 0:
            x = x + noise(sigma, sigma_next) * (options.noise * sigma_up)
    return x


def _midpoint_step(x: Tensor, sigma: float, sigma_next: float) -> Steps:
    denoised = yield x, sigma
    d = (x - denoised) / sigma
    if sigma_next == 0:
        return x + d * (sigma_next - sigma)
    sigma_mid = math.sqrt(sigma * sigma_next)
    x_2 = x + d * (sigma_mid - sigma)
    denoised_2 = yield x_2, sigma_mid
    return x + (x_2 - denoised_2) * ((sigma_next - sigma) / sigma_mid)


def _sample_lms(x: Tensor, sigmas: Sequence[float], _noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Extrapolate the last four tangents (linear multistep, Adams-Bashforth on uneven steps)."""
    tangents: list[Tensor] = []
    for i, sigma in enumerate(sigmas[:-1]):
        denoised = yield x, sigma
        tangents = [(x - denoised) / sigma, *tangents[:3]]
        weights = _multistep_weights(sigmas, i, len(tangents))
        x = x + sum(weight * d for weight, d in zip(weights, tangents, strict=True))
    return x


def _multistep_weights(sigmas: Sequence[float], i: int, order: int) -> list[float]:
    """Integrate the Lagrange polynomials through the last `order` levels over the step from i to i + 1."""
    weights = []
    for j in range(order):
        basis = np.poly1d([1.0])
        for k in range(order):
            if k != j:
                basis *= np.poly1d([1.0, -sigmas[i - k]]) / (sigmas[i - j] - sigmas[i - k])
        primitive = basis.integ()
        weights.append(float(primitive(sigmas[i + 1]) - primitive(sigmas[i])))
    return weights


def _sample_dpmpp_2m(x: Tensor, sigmas: Sequence[float], _noise: StepNoise, _options: SamplingOptions) -> Steps:
    """Extrapolate the denoised latents over two steps (DPM-Solver++(2M), Lu et al. 2022, algorithm 2)."""
    previous, h_last = x, math.inf  # of the step before: so long that the first one extrapolates nothing
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        share = h / (2 * h_last) if sigma_next > 0 else 0.0
        ratio = sigma_next / sigma
        x = (x * ratio).add_(denoised, alpha=(1 - ratio) * (1 + share))
        if share:
            x.add_(previous, alpha=(ratio - 1) * share)
        previous, h_last = denoised, h
    return x


def _sample_dpmpp_2s_ancestral(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Take DPM-Solver++(2S)'s middle-point step (Lu et al. 2022, algorithm 1) down and add noise up."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        sigma_down, sigma_up = ancestral_split(sigma, sigma_next, options.eta)
        if sigma_down > 0:
            sigma_mid = math.sqrt(sigma * sigma_down)
            denoised = yield exponential_step(x, denoised, sigma, sigma_mid), sigma_mid
        x = exponential_step(x, denoised, sigma, sigma_down)
        if sigma_next > 0:
            x = x + noise(sigma, sigma_next) * (options.noise * sigma_up)
    return x


RUN: dict[str, Sampler] = {
    "Euler": _sample_euler,
    "Euler a": _sample_euler_ancestral,
    "Heun": _sample_heun,
    "DPM2": _sample_dpm_2,
    "DPM2 a": _sample_dpm_2_ancestral,
    "LMS": _sample_lms,
    "DPM++ 2M": _sample_dpmpp_2m,
    "DPM++ 2S a": _sample_dpmpp_2s_ancestral,
}
