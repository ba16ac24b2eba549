"""Quantiles of beta distributions, against closed forms and SciPy."""

import math

import pytest
import torch
from scipy.special import betaincinv  # type: ignore[import-untyped]

from pastelbot.diffusion.sampling.beta_quantiles import beta_quantile

SHARES = (0.0, 1e-9, 0.001, 0.1, 0.3, 0.5, 0.77, 0.999, 1.0)


@pytest.mark.parametrize("share", SHARES)
def test_closed_forms(share):
    assert beta_quantile(share, 1, 1) == pytest.approx(share, rel=1e-13)
    assert beta_quantile(share, 2, 1) == pytest.approx(math.sqrt(share), rel=1e-13)
    assert beta_quantile(share, 0.5, 0.5) == pytest.approx(math.sin(math.pi * share / 2) ** 2, rel=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 150])
def test_the_shares_of_the_schedule_are_scipys(steps):
    shares = 1.0 - torch.linspace(0, 1, steps, dtype=torch.float64)
    ours = [beta_quantile(float(share), 0.6, 0.6) for share in shares]

    assert ours == pytest.approx(list(betaincinv(0.6, 0.6, shares.numpy())), rel=1e-13, abs=1e-15)
