"""The recorded noise levels, sigma schedules and fractional timesteps."""

import pytest
import torch
from golden_cases import cases, report

from pastelbot.diffusion.sampling.registry import plan_first_pass, resolve
from pastelbot.diffusion.sampling.samplers_timestep import whole_timesteps
from pastelbot.diffusion.sampling.schedules import ModelSigmas

ALL = [
    *cases("sigmas.json", "entries"),
    *cases("sigmas_more.json", "lcm"),
    *cases("sigmas_more.json", "entries"),
]
ENTRIES = [entry for entry in ALL if "sigmas" in entry]
DDIM_ENTRIES = [entry for entry in ALL if "timesteps" in entry]


@pytest.fixture(scope="session")
def model():
    """Return Stable Diffusion's noise levels."""
    return ModelSigmas.scaled_linear()


def test_model_table_equals_the_recorded_one(model, tensors):
    """The table that everything else interpolates in is right to float32's last bits."""
    recorded = tensors("sigmas.safetensors")

    torch.testing.assert_close(model.alphas_cumprod, recorded["alphas_cumprod"], rtol=1e-6, atol=0)
    torch.testing.assert_close(model.sigmas, recorded["model_sigmas"], rtol=2e-5, atol=0)
    torch.testing.assert_close(model.log_sigmas, recorded["model_log_sigmas"], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["key"])
def test_schedule_equals_the_recorded_one(model, entry):
    """Each sampler and schedule gives the recorded sigmas, and these the timesteps that the UNet receives.

    From our own sigmas they are less sharp: 1e-6 of a sigma, which is float32's rounding of a seventh power, is 3e-4 of
    a timestep.
    """
    info, schedule = resolve(entry["sampler"], entry["scheduler"])

    plan = plan_first_pass(info, schedule, model, entry["steps"])

    sigmas, levels = plan.schedule_sigmas, plan.levels
    timesteps = [levels.timestep(sigma) for sigma in sigmas if sigma > 0]
    assert sigmas == pytest.approx(entry["sigmas"], rel=2e-5)
    assert [levels.timestep(sigma) for sigma in entry["sigmas"] if sigma > 0] == pytest.approx(entry["t"], abs=2e-4)
    assert timesteps == pytest.approx(entry["t"], abs=1e-3)
    relative = [abs(mine / theirs - 1) for mine, theirs in zip(sigmas, entry["sigmas"], strict=True) if theirs > 0]
    absolute = [abs(mine - theirs) for mine, theirs in zip(timesteps, entry["t"], strict=True)]
    report("schedules", entry["key"], {"sigmas": (max(relative), 0), "timesteps": (max(absolute), 0)})


@pytest.mark.parametrize("entry", DDIM_ENTRIES, ids=lambda entry: entry["key"])
def test_ddim_takes_the_recorded_timesteps(entry):
    """DDIM's own schedule is that of whole timesteps."""
    steps = entry.get("steps") or int(entry["key"].rpartition("_")[2])

    assert whole_timesteps(steps) == entry["timesteps"]
