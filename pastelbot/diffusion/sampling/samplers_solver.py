"""DPM-Solver of orders 1 to 3 (Lu et al. 2022) in its own spacing: the webui's "DPM fast" and "DPM adaptive".

The paper predicts noise: between two levels it integrates eps over lambda = -log(sigma) with Taylor terms from one or
two levels in between. See `samplers` for the form.
"""

import math
from collections.abc import Generator, Sequence

from torch import Tensor

from pastelbot.diffusion.sampling.samplers import Sampler, StepNoise, Steps, ancestral_split
from pastelbot.records import SamplingOptions

_Both = Generator[tuple[Tensor, float], Tensor, tuple[Tensor, Tensor]]
# How "DPM adaptive" chooses its steps, in lambda.
_FIRST_SIZE, _NEAR = 0.05, 1e-5
_RELATIVE, _ABSOLUTE = 0.05, 0.0078
_LEAST_GROWTH = 0.81  # of a step that is taken
_MOST_TRIES = 300


def _sample_dpm_fast(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Spend as many calls as there are steps on steps of order 3, the last ones lower, each with ancestral noise.

    Only the first and the last of `sigmas` count: the levels between are spaced evenly in lambda.
    """
    calls = len(sigmas) - 1
    first, last = -math.log(sigmas[0]), -math.log(sigmas[-1])
    orders = _orders(calls)
    places = [first + (last - first) * i / len(orders) for i in range(len(orders) + 1)]
    for order, start, end in zip(orders, places, places[1:], strict=False):
        sigma, sigma_next = math.exp(-start), math.exp(-end)
        sigma_down, _ = ancestral_split(sigma, sigma_next, options.eta)
        # Never below the last level; what is missing to this step's level comes as noise.
        sigma_down = max(sigma_down, math.exp(-last))
        x = yield from _solver_step(x, sigma, sigma_down, order)
        added = math.sqrt(max(0.0, sigma_next**2 - sigma_down**2))
        x = x + noise(sigma, sigma_next) * (options.noise * added)
    return x


def _sample_dpm_adaptive(x: Tensor, sigmas: Sequence[float], noise: StepNoise, options: SamplingOptions) -> Steps:
    """Take steps of order 3 as large as the difference to order 2 lets them be, each with ancestral noise.

    Only the first and the last of `sigmas` count. A step whose difference is too large is tried again as a smaller one
    (Lu et al. 2022, appendix C). Latents that are no numbers, and steps that never get large, end after `_MOST_TRIES`.
    """
    place, end = -math.log(sigmas[0]), -math.log(sigmas[-1])
    size, before, tries = _FIRST_SIZE, x, 0
    while place < end - _NEAR:
        tries += 1
        aim = min(end, place + size) if tries <= _MOST_TRIES else end
        sigma, sigma_next = math.exp(-place), math.exp(-aim)
        sigma_down = max(ancestral_split(sigma, sigma_next, options.eta)[0], math.exp(-end))
        low, high = yield from _third_order(x, sigma, sigma_down)
        factor = _growth(_difference(low, high, before), 1.5 if options.eta else 3.0)
        size *= factor
        if factor >= _LEAST_GROWTH or tries > _MOST_TRIES:
            added = math.sqrt(max(0.0, sigma_next**2 - sigma_down**2))
            before, x, place = low, high + noise(sigma, sigma_next) * added, aim
    return x


def _difference(low: Tensor, high: Tensor, before: Tensor) -> float:
    """Return the difference of two orders in what is tolerated, the root of the mean square."""
    tolerated = (_RELATIVE * low.abs().maximum(before.abs())).clamp(min=_ABSOLUTE)
    return float(((low - high) / tolerated).norm()) / math.sqrt(low.numel())


def _growth(difference: float, order: float) -> float:
    """Return by what the next step is larger."""
    return 1 + math.atan((1 / (difference + 1e-8)) ** (1 / order) - 1)


def _orders(calls: int) -> list[int]:
    """Return the orders of steps whose calls add up."""
    count = calls // 3 + 1
    if calls % 3 == 0:
        return [*[3] * (count - 2), 2, 1]
    return [*[3] * (count - 1), calls % 3]


def _solver_step(x: Tensor, sigma: float, sigma_next: float, order: int) -> Steps:
    """Take one step of DPM-Solver-1, -2 or -3 (Lu et al. 2022, algorithms 1 and 2, and equation 3.7)."""
    if order == 3:
        return (yield from _third_order(x, sigma, sigma_next))[1]
    h = math.log(sigma / sigma_next)
    denoised = yield x, sigma
    eps = (x - denoised) / sigma
    base = x - sigma_next * math.expm1(h) * eps
    if order == 1:
        return base
    eps_1 = yield from _noise_at(x - _grown(sigma, h / 2) * eps, sigma * math.exp(-h / 2))
    return base - sigma_next * math.expm1(h) * (eps_1 - eps)


def _third_order(x: Tensor, sigma: float, sigma_next: float) -> _Both:
    """Take one step of DPM-Solver-3, and with two of its calls one of DPM-Solver-2; return the lower order first."""
    h = math.log(sigma / sigma_next)
    denoised = yield x, sigma
    eps = (x - denoised) / sigma
    base = x - sigma_next * math.expm1(h) * eps
    share, share_2 = 1 / 3, 2 / 3
    eps_1 = yield from _noise_at(x - _grown(sigma, share * h) * eps, sigma * math.exp(-share * h))
    sigma_2 = sigma * math.exp(-share_2 * h)
    x_2 = x - _grown(sigma, share_2 * h) * eps - sigma_2 * (share_2 / share) * _phi(share_2 * h) * (eps_1 - eps)
    eps_2 = yield from _noise_at(x_2, sigma_2)
    low = base - sigma_next * math.expm1(h) / (2 * share) * (eps_1 - eps)
    return low, base - sigma_next / share_2 * _phi(h) * (eps_2 - eps)


def _grown(sigma: float, h: float) -> float:
    """Return the weight of constant noise over a step of `h` in lambda."""
    return sigma * math.exp(-h) * math.expm1(h)


def _phi(h: float) -> float:
    return math.expm1(h) / h - 1


def _noise_at(x: Tensor, sigma: float) -> Steps:
    denoised = yield x, sigma
    return (x - denoised) / sigma


RUN: dict[str, Sampler] = {
    "DPM fast": _sample_dpm_fast,
    "DPM adaptive": _sample_dpm_adaptive,
}
