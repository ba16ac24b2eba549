"""The Brownian path against torchsde's, which the webui walks."""

import pytest
import torch
import torchsde

from pastelbot.diffusion.sampling.brownian import BrownianPath
from pastelbot.diffusion.sampling.schedules import ModelSigmas, make_sigmas

SHAPE = (4, 6, 5)
SIGMAS = make_sigmas("Karras", ModelSigmas.scaled_linear(), 8)


@pytest.mark.filterwarnings("ignore:Should have:UserWarning")  # of times that it rounds itself
@pytest.mark.parametrize("seed", [0, 18, 2203084815])
def test_steps_equal_those_of_torchsde(seed):
    """Every step of a schedule, forwards, backwards and across others, has torchsde's numbers."""
    tree = torchsde.BrownianTree(min(SIGMAS[:-1]), torch.zeros(SHAPE), max(SIGMAS), entropy=seed)
    path = BrownianPath(seed, SHAPE, SIGMAS, "CPU")
    pairs = [(SIGMAS[i], SIGMAS[j]) for i, j in ((0, 1), (1, 2), (0, 7), (6, 7), (3, 5), (5, 4))]

    for sigma, sigma_next in pairs:
        low, high = sorted((sigma, sigma_next))
        theirs = tree(low, high) / (high - low) ** 0.5 * (1 if sigma_next > sigma else -1)
        torch.testing.assert_close(path(sigma, sigma_next), theirs, atol=2e-5, rtol=1e-5)


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
