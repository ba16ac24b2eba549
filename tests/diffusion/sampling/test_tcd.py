"""TCD against the scheduler of diffusers, at the same levels, with the same answers and the same noise."""

import pytest
import torch
from diffusers import TCDScheduler

from pastelbot.diffusion.sampling.registry import plan_first_pass
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.records import SamplingOptions
from pastelbot.rules.samplers import SAMPLERS

MODEL = ModelSigmas.scaled_linear()


def plan_of(steps, gamma):
    return plan_first_pass(SAMPLERS["TCD"], "SGM Uniform", MODEL, steps, SamplingOptions(gamma=gamma))


def predicted(scaled):
    """Return made-up predicted noise for latents of unit variance."""
    return torch.sin(scaled * 3) + 0.3 * scaled


def of_diffusers(plan, x, noises, gamma):
    """Return what diffusers asks about at each step, and the answer that it takes the last one for."""
    scheduler = TCDScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
    scheduler.set_timesteps(timesteps=[int(plan.levels.timestep(sigma)) for sigma in plan.sigmas[:-1]])
    asked = []
    for timestep in scheduler.timesteps:
        asked.append(x)
        step = scheduler.step(predicted(x), timestep, x, eta=gamma, generator=noises)
        x = step.prev_sample
        last = (asked[-1] - (1 - scheduler.alphas_cumprod[timestep]).sqrt() * predicted(asked[-1])) / (
            scheduler.alphas_cumprod[timestep].sqrt()
        )
    return asked, last


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Let the scheduler take noise that was drawn before, given as its generator."""
    monkeypatch.setattr(
        "diffusers.schedulers.scheduling_tcd.randn_tensor", lambda _shape, generator, **_how: generator.pop(0)
    )


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_it_asks_and_answers_as_the_scheduler_of_diffusers_does(steps, gamma):
    plan = plan_of(steps, gamma)
    draw = torch.Generator().manual_seed(7)
    begin, *noises = (torch.randn(1, 4, 5, 5, generator=draw) for _ in range(steps + 1))
    expected, last = of_diffusers(plan, begin, list(noises), gamma)
    left = list(noises)

    sampler = plan.steps(begin * (1 + plan.sigmas[0] ** 2) ** 0.5, lambda *_levels: left.pop(0))
    asked = []
    x, sigma = next(sampler)
    try:
        while True:
            asked.append(x / (1 + sigma**2) ** 0.5)
            x, sigma = sampler.send(x - sigma * predicted(asked[-1]))
    except StopIteration as stop:
        result = stop.value

    torch.testing.assert_close(torch.stack(asked), torch.stack(expected), rtol=2e-4, atol=2e-4)
    torch.testing.assert_close(result, last, rtol=2e-3, atol=2e-3)


def test_its_answers_are_taken_as_they_are():
    """LCM's are mixed with the input; TCD's scheduler does not do that."""
    lcm = plan_first_pass(SAMPLERS["LCM"], "Uniform", MODEL, 4)

    assert (True, False) == (lcm.levels.mixes, plan_of(4, 0.3).levels.mixes)


def test_without_gamma_it_draws_no_noise_and_is_eulers_step():
    plan = plan_of(4, 0.0)
    x = torch.tensor([10.0])
    sampler = plan.steps(x, lambda *_levels: pytest.fail("noise was drawn"))
    _x, sigma = next(sampler)
    stepped, sigma_next = sampler.send(torch.tensor([1.0]))

    assert 1 + 9 * sigma_next / sigma == pytest.approx(float(stepped))


@pytest.mark.parametrize("steps", [1, 4, 8])
def test_it_begins_at_the_last_timestep_and_asks_at_trained_ones_alone(steps):
    timesteps = [MODEL.timestep(sigma) for sigma in plan_of(steps, 0.3).sigmas[:-1]]

    assert 999 == timesteps[0]
    assert all(round(timestep) % 20 == 19 for timestep in timesteps)
