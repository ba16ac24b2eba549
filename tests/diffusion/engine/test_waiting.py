"""The steps on an accelerator, without one: tensors of the device "meta" have no numbers, so what reads one fails."""

import pytest
import torch
from helpers.small_unets import SMALL

from pastelbot.diffusion.engine.denoiser import Denoiser, DenoiseRequest, Guidance
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.sampling.registry import plan_first_pass, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas

DEVICE = torch.device("meta")
SHAPE = (4, 8, 8)


@pytest.fixture
def pictures():
    """Return a denoiser on the device, and two pictures' guidance."""
    with DEVICE:
        unet = LeanUnet(**SMALL).eval().requires_grad_(requires_grad=False)
        parts = [torch.empty(77, 16) for _ in range(3)]
    guidances = [Guidance(positive=((part, 1.0),), negative=parts[2], cfg_scale=7.0) for part in parts[:2]]
    return Denoiser(unet, prediction_type="epsilon", device=DEVICE), guidances


@pytest.mark.parametrize("sampler", ["DPM++ 2M", "Euler a", "DPM++ SDE", "UniPC", "LCM", "Restart", "DDIM"])
def test_no_step_waits_for_the_device(pictures, sampler):
    """Two pictures, whole passes."""
    denoiser, guidances = pictures
    plan = plan_first_pass(*resolve(sampler), ModelSigmas.scaled_linear(), 5)
    noise = [lambda _sigma, _next: torch.empty(SHAPE, device=DEVICE)] * 2
    with torch.inference_mode():
        passes = [plan.steps(plan.begin(torch.empty(SHAPE, device=DEVICE)), draw) for draw in noise]
        asked = [next(each) for each in passes]
        for _ in range(plan.calls - 1):
            requests = [
                DenoiseRequest(x, sigma, plan.levels, guidance)
                for (x, sigma), guidance in zip(asked, guidances, strict=True)
            ]
            answers = denoiser.denoise(requests, max_rows=4)
            asked = [each.send(answer) for each, answer in zip(passes, answers, strict=True)]

    assert {(x.device, x.dtype, tuple(x.shape)) for x, _ in asked} == {(DEVICE, torch.float32, SHAPE)}


@pytest.mark.parametrize("read", [float, torch.Tensor.cpu, torch.Tensor.tolist, torch.Tensor.nonzero, bool])
def test_what_waits_for_the_device_fails_there(read):
    with pytest.raises((RuntimeError, NotImplementedError)):
        read(torch.empty((), device=DEVICE))
