"""The samplers on Gaussian data, where the ideal denoiser and the exact answers have closed forms.

For data of mean m and standard deviation s the ideal denoiser is D(x) = (s^2 x + sigma^2 m) / (s^2 + sigma^2); the
probability flow carries (x - m) along as sqrt(s^2 + sigma^2); and a stochastic sampler has to end with deviation s.
"""

import math
from itertools import pairwise

import pytest
import torch

from pastelbot.diffusion.sampling.registry import PassPlan
from pastelbot.diffusion.sampling.schedules import ModelSigmas, make_sigmas
from pastelbot.rules.samplers import SAMPLERS

MEAN, DEVIATION = 0.7, 1.5
MODEL = ModelSigmas.scaled_linear()
STEPS = (10, 20, 40, 80)
# Sampler -> its order: with twice the steps the error falls by about 2 ** order.
FLOW_ORDERS = {
    "Euler": 1,
    "DDIM": 1,
    "DDIM CFG++": 1,
    "Heun": 2,
    "DPM2": 2,
    "DPM++ 2M": 2,
    "PLMS": 2,
    "UniPC": 3,
    "LMS": 3,
}
NOISE_ORDERS = {
    "Euler a": 1,
    "DPM fast": 1,
    "DPM2 a": 1,
    "DPM++ 2S a": 1,
    "DPM++ SDE": 1,
    "DPM++ 2M SDE": 2,
    "DPM++ 2M SDE Heun": 2,
    "DPM++ 3M SDE": 2,
}


def karras(steps):
    return make_sigmas("Karras", MODEL, steps)


def plan_of(name, sigmas):
    return PassPlan(info=SAMPLERS[name], levels=MODEL, sigmas=sigmas, schedule_sigmas=sigmas, noise_sigma=sigmas[0])


def walk(name, x, sigmas, noise, mean=MEAN):
    """Run a sampler with the ideal denoiser; return its result and how often it called."""
    sampler = plan_of(name, sigmas).steps(x, noise)
    calls = 0
    try:
        x, sigma = next(sampler)
        while True:
            calls += 1
            denoised = (DEVIATION**2 * x + sigma**2 * mean) / (DEVIATION**2 + sigma**2)
            x, sigma = sampler.send(torch.stack([denoised] * 2) if SAMPLERS[name].cfg_plus else denoised)
    except StopIteration as stop:
        return stop.value, calls


def no_noise(_sigma, _sigma_next):
    """Fail: a sampler of the ordinary differential equation draws no noise."""
    pytest.fail("noise was drawn")


def flow_error(name, steps):
    """Return the relative error after walking down to the model's smallest sigma."""
    sigmas = karras(steps)[:-1]
    x = torch.tensor([30.0, -10.0, 3.0], dtype=torch.float64)
    shrunk = math.sqrt((DEVIATION**2 + sigmas[-1] ** 2) / (DEVIATION**2 + sigmas[0] ** 2))
    exact = MEAN + (x - MEAN) * shrunk

    result, _calls = walk(name, x, sigmas, no_noise)

    return ((result - exact).norm() / exact.norm()).item()


def deviation_error(name, steps):
    """Return the error of the result's standard deviation, exactly: the result is linear in each draw of noise.

    Element k of the latents receives nothing but draw k, so the elements are the weights of the draws.
    """
    sigmas = karras(steps)[:-1]
    draws = iter(torch.eye(3 * steps, dtype=torch.float64))
    x = next(draws) * math.hypot(DEVIATION, sigmas[0])

    result, _calls = walk(name, x, sigmas, lambda _sigma, _sigma_next: next(draws), mean=0.0)

    return abs(result.norm().item() - math.hypot(DEVIATION, sigmas[-1]))


@pytest.mark.parametrize(("name", "order"), FLOW_ORDERS.items())
def test_flow_sampler_converges_with_its_order(name, order):
    """Twice the steps divide the error of the walk by 2 to the order."""
    errors = [flow_error(name, steps) for steps in STEPS]

    ratios = [coarse / fine for coarse, fine in pairwise(errors)]
    assert all(ratio > 0.85 * 2**order for ratio in ratios), ratios
    assert errors[-1] < 0.04**order * 5


@pytest.mark.parametrize(("name", "order"), NOISE_ORDERS.items())
def test_stochastic_sampler_converges_to_the_right_spread(name, order):
    """Twice the steps divide the error of the result's deviation by 2 to the order."""
    errors = [deviation_error(name, steps) for steps in (20, 40, 80, 160)]

    ratios = [coarse / fine for coarse, fine in pairwise(errors)]
    assert all(ratio > 0.8 * 2**order for ratio in ratios), (ratios, errors)


@pytest.mark.parametrize(
    "name", [name for name, info in SAMPLERS.items() if name not in ("UniPC", "PLMS") and not info.own_spacing]
)
def test_walk_down_to_zero_takes_the_calls_that_are_announced(name):
    """The number of steps that a job reports is the number of calls that it makes."""
    x = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 14.6
    for sigmas in (karras(8), karras(8)[:-1], karras(1)):
        result, calls = walk(name, x, sigmas, lambda _sigma, _sigma_next: torch.zeros_like(x))

        assert calls == plan_of(name, sigmas).calls
        assert torch.isfinite(result).all()


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_dpm_fast_makes_a_call_a_step(steps):
    sigmas = [14.6] + [1.0] * (steps - 1) + [0.03]
    _result, calls = walk("DPM fast", torch.ones(3), sigmas, lambda _sigma, _sigma_next: torch.zeros(3))

    assert steps == calls == plan_of("DPM fast", sigmas).calls


def test_dpm_adaptive_ends_with_the_right_spread_whatever_steps_are_asked_for():
    drawn = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, dtype=torch.float64, generator=drawn) * math.hypot(DEVIATION, 14.6) + MEAN
    results = [
        walk("DPM adaptive", x, sigmas, lambda *_levels: torch.randn(x.shape, dtype=x.dtype, generator=drawn))
        for sigmas in ([14.6, 0.03], [14.6, 5.0, 1.0, 0.03])
    ]

    assert results[0][1] == results[1][1] > 18
    assert all(abs(result.std().item() - DEVIATION) < 0.05 for result, _calls in results)
    assert all(abs(result.mean().item() - MEAN) < 0.05 for result, _calls in results)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_dpm_adaptive_ends_where_latents_are_no_numbers(bad):
    _result, calls = walk("DPM adaptive", torch.full((3,), bad), [14.6, 0.03], lambda *_levels: torch.zeros(3))

    assert calls < 1000


def test_cfg_plus_steps_along_the_unguided_noise():
    """With equal answers it is DDIM; what guidance adds is in the answer alone."""
    x, noise = torch.tensor([5.0, -3.0]), lambda *_levels: torch.zeros(2)
    steps = plan_of("DDIM CFG++", [4.0, 2.0]).steps(x, noise)
    next(steps)
    with pytest.raises(StopIteration) as stop:
        steps.send(torch.tensor([[1.0, 1.0], [0.5, 0.25]]))

    assert (1 + (5 - 0.5) / 2, 1 + (-3 - 0.25) / 2) == tuple(stop.value.value.tolist())


@pytest.mark.parametrize("name", SAMPLERS)
def test_sampler_does_not_depend_on_the_latents_shape(name):
    """One image's latents and a row of numbers give the same numbers."""
    sigmas = karras(6)[:-1]
    x = torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 14.6

    image, _ = walk(name, x, sigmas, lambda _sigma, _sigma_next: torch.ones_like(x))
    row, _ = walk(name, x.flatten(), sigmas, lambda _sigma, _sigma_next: torch.ones_like(x).flatten())

    torch.testing.assert_close(image.flatten(), row)


@pytest.mark.parametrize(("steps", "restarts"), [(10, 0), (20, 1), (40, 2)])
def test_restart_spends_some_of_its_steps_on_going_back(steps, restarts):
    """It takes the calls of Heun's sampler, some of them after noising back up."""
    sigmas = karras(steps)
    jumps = []
    x = torch.zeros(3)

    def noise(sigma, sigma_next):
        jumps.append((sigma, sigma_next))
        return torch.zeros(3)

    _result, calls = walk("Restart", x, sigmas, noise)
    assert calls == plan_of("Heun", sigmas).calls
    assert len(jumps) == restarts
    assert all(low < 0.2 and 1.5 < high < 2.6 for low, high in jumps)
