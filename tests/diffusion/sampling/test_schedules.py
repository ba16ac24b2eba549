"""Sigma schedules: what all of them have in common, and the model's table."""

from itertools import pairwise

import pytest

from pastelbot.diffusion.sampling.registry import plan_first_pass, plan_img2img, plan_second_pass, resolve
from pastelbot.diffusion.sampling.schedules import SCHEDULES, ModelSigmas, img2img_steps, make_sigmas
from pastelbot.errors import LimitError
from pastelbot.rules.samplers import SAMPLERS

MODEL = ModelSigmas.scaled_linear()


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 150])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_falls_from_the_models_noise(name, steps):
    """Sigmas fall strictly, begin within the model's range and end near zero."""
    sigmas = make_sigmas(name, MODEL, steps)

    assert all(high > low for high, low in pairwise(sigmas))
    assert sigmas[0] <= 14.62
    assert sigmas[-1] < 0.03
    assert len(sigmas) >= steps + 1


def test_sampler_that_looks_ahead_skips_the_next_to_last_sigma():
    """It has as many sigmas as others, from a schedule that is one longer."""
    longer = make_sigmas("Karras", MODEL, 9)

    assert make_sigmas("Karras", MODEL, 8, discard_next_to_last=True) == [*longer[:8], 0.0]


def test_timesteps_are_those_of_the_table():
    """Whole timesteps come back, sigmas beyond the table are clamped."""
    for timestep in (0, 1, 500, 998, 999):
        assert MODEL.timestep(float(MODEL.sigmas[timestep])) == pytest.approx(timestep, abs=1e-3)
    assert MODEL.timestep(100.0) == 999
    assert MODEL.timestep(0.001) == 0


@pytest.mark.parametrize(
    ("name", "schedule", "expected"),
    [
        ("DPM++ 2M", None, ("DPM++ 2M", "Karras")),
        ("DPM++ 2M", "Automatic", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M Karras", "Automatic", ("DPM++ 2M", "Karras")),
        ("dpm++ 2m sde exponential", None, ("DPM++ 2M SDE", "Exponential")),
        ("Euler a", "Automatic", ("Euler a", "Uniform")),
        ("Euler a", "SGM Uniform", ("Euler a", "SGM Uniform")),
        ("DDIM", "Karras", ("DDIM", "Karras")),
    ],
)
def test_names_of_old_and_new_are_understood(name, schedule, expected):
    """A schedule at the end of the sampler's name goes before the other."""
    info, chosen = resolve(name, schedule)

    assert (info.name, chosen) == expected


def test_unlike_name_lists_what_there_is():
    """Nothing is near, so everything is named."""
    with pytest.raises(LimitError, match="Known are"):
        resolve("zzzz")


@pytest.mark.parametrize("name", SAMPLERS)
def test_second_pass_begins_in_the_middle(name):
    """Each sampler's second pass starts at less noise than its first and ends at the same."""
    info, schedule = resolve(name)
    first = plan_first_pass(info, schedule, MODEL, 20)
    second = plan_second_pass(info, schedule, MODEL, 20, 0.5)

    assert img2img_steps(20, 0.5) == 40
    assert second.sigmas[0] < first.sigmas[0] / 3
    assert second.sigmas[-1] == pytest.approx(first.sigmas[-1], abs=0.05)
    assert first.calls >= 19
    assert second.calls >= 18


def test_timestep_samplers_keep_unit_variance():
    """DDIM begins with the noise itself at its first timestep, seen from latents that are not scaled down."""
    import torch

    info, schedule = resolve("DDIM")
    run = plan_first_pass(info, schedule, MODEL, 20)
    noise = torch.ones(1)

    assert run.begin(noise).item() == pytest.approx((1 + run.sigmas[0] ** 2) ** 0.5)
    assert run.end(noise).item() == pytest.approx((1 + run.sigmas[-1] ** 2) ** -0.5)


@pytest.mark.parametrize(("strength", "calls"), [(0.5, 11), (1.0, 20), (0.75, 16), (0.02, 1)])
def test_img2img_runs_its_share_and_one_step_more(strength, calls):
    """20 steps at strength 0.5 are 11 calls, from the middle of the 20-step schedule."""
    info, schedule = resolve("DPM++ 2M")
    run = plan_img2img(info, schedule, MODEL, 20, strength)

    assert run.calls == calls
    assert run.sigmas == make_sigmas("Karras", MODEL, 20)[20 - calls :]
