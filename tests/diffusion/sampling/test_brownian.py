"""The Brownian path against torchsde's, which the webui walks."""

import pytest
import torch
from safetensors.torch import load_file

from pastelbot.diffusion.sampling.brownian import BrownianPath
from tests.diffusion.sampling.record_references import BROWNIAN, SEEDS, SHAPE, SIGMAS, STEPS, name_of


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_equal_those_of_torchsde(seed):
    """Every step of a schedule, forwards, backwards and across others, has torchsde's numbers."""
    recorded = load_file(BROWNIAN)
    path = BrownianPath(seed, SHAPE, SIGMAS, "CPU")

    for start, end in STEPS:
        theirs = recorded[name_of(seed, start, end)]
        torch.testing.assert_close(path(SIGMAS[start], SIGMAS[end]), theirs, atol=2e-5, rtol=1e-5)


def test_steps_are_unit_noise_and_add_up():
    """Increments of neighbouring steps are independent, and their sum is the increment of both."""
    path = BrownianPath(3, (100, 100), SIGMAS, "NV")
    first, second, both = path(10.0, 5.0), path(5.0, 1.0), path(10.0, 1.0)

    assert abs(first.std().item() - 1) < 0.03
    assert abs((first * second).mean().item()) < 0.05
    torch.testing.assert_close(first * 5**0.5 + second * 2.0, both * 3.0, atol=1e-5, rtol=1e-4)


def test_step_of_no_length_has_no_noise():
    """Two levels that round to the same millionth are one."""
    assert torch.equal(BrownianPath(3, SHAPE, SIGMAS, "NV")(2.0, 2.0 + 1e-9), torch.zeros(SHAPE))
