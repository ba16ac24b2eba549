"""Which levels a pass walks over a picture, and over the first pass's latents: the ends of recorded schedules."""

import pytest
from golden_cases import cases

from pastelbot.diffusion.sampling.registry import plan_img2img, plan_second_pass, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas

MODEL = ModelSigmas.scaled_linear()
PLANS = {"img2img": plan_img2img, "img2img_fix_steps": plan_second_pass, "hires": plan_second_pass}
# A hires fix of strength 0 and as many steps as asked for at strength 0 are refused: the webui's makes nothing of them.
RUNS = [
    case
    for case in cases("img2img_runs.json")
    if case["mode"] in PLANS and "error" not in case and (case["mode"] == "img2img" or case["denoising_strength"] > 0)
]


def plan(case):
    """Return the pass that a case means."""
    info, schedule = resolve(case["sampler"], case["scheduler"])
    return PLANS[case["mode"]](info, schedule, MODEL, case["steps"], case["denoising_strength"])


def name(case):
    return "|".join(str(case[key]) for key in ("sampler", "scheduler", "steps", "denoising_strength", "mode"))


@pytest.mark.parametrize("case", [case for case in RUNS if "sigma_sched" in case], ids=name)
def test_a_pass_walks_the_recorded_levels(case):
    assert plan(case).sigmas == pytest.approx(case["sigma_sched"], rel=2e-5)


@pytest.mark.parametrize("case", [case for case in RUNS if "timesteps" in case], ids=name)
def test_ddim_walks_the_recorded_timesteps_from_the_recorded_noise(case):
    run = plan(case)

    walked = [MODEL.timestep(sigma) for sigma in reversed(run.sigmas)][: len(case["timesteps"])]
    assert walked == pytest.approx(case["timesteps"], abs=2e-4)
    assert MODEL.timestep(run.noise_sigma) == pytest.approx(case["noise_timestep"], abs=2e-4)
    assert run.calls == max(len(case["timesteps"]) - 1, 0) or case["timesteps"] == []
