"""How many steps a second pass takes, and where its schedule begins."""

import pytest
from golden_cases import cases

from pastelbot.diffusion.sampling.registry import plan_second_pass, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas, img2img_steps


@pytest.mark.parametrize(
    "case",
    cases("img2img_steps.json"),
    ids=lambda case: f"{case['hires_steps']} at {case['denoising_strength']}",
)
def test_second_pass_walks_the_recorded_sigmas(case):
    """The pass is the end of a longer schedule and takes exactly the steps asked for."""
    info, schedule = resolve("DPM++ 2M", "Karras")
    steps, strength = case["hires_steps"], case["denoising_strength"]

    run = plan_second_pass(info, schedule, ModelSigmas.scaled_linear(), steps, strength)

    assert img2img_steps(steps, strength) == case["schedule_steps"]
    assert run.sigmas == pytest.approx(case["sigma_sched"], rel=2e-5)
    assert run.sigmas == run.schedule_sigmas[case["first_index"] :]
    assert run.calls == len(case["sigma_sched"]) - 1
