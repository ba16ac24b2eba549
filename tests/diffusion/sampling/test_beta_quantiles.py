"""Quantiles of beta distributions, against closed forms and SciPy."""

import json
import math

import pytest

from pastelbot.diffusion.sampling.beta_quantiles import beta_quantile
from tests.diffusion.sampling.record_references import BETA, COUNTS, QUANTILES, shares

SHARES = (0.0, 1e-9, 0.001, 0.1, 0.3, 0.5, 0.77, 0.999, 1.0)


@pytest.mark.parametrize("share", SHARES)
def test_closed_forms(share):
    assert beta_quantile(share, 1, 1) == pytest.approx(share, rel=1e-13)
    assert beta_quantile(share, 2, 1) == pytest.approx(math.sqrt(share), rel=1e-13)
    assert beta_quantile(share, 0.5, 0.5) == pytest.approx(math.sin(math.pi * share / 2) ** 2, rel=1e-13)


@pytest.mark.parametrize("steps", COUNTS)
def test_the_shares_of_the_schedule_are_scipys(steps):
    recorded = json.loads(QUANTILES.read_text(encoding="utf-8"))[str(steps)]

    assert [beta_quantile(share, BETA, BETA) for share in shares(steps)] == pytest.approx(
        recorded, rel=1e-13, abs=1e-15
    )
