"""The best approximation of a matrix by one of low rank."""

import pytest
import torch

from pastelbot.workshop.low_rank import factorise

SIZES = [(400, 400), (900, 300), (300, 900), (40, 60), (500, 20)]


def flat(rows, columns):
    """Return noise, which no low rank suits: the hardest case."""
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows))


def falling(rows, columns):
    """Return a matrix whose singular values fall as those of real differences."""
    size = min(rows, columns)
    left, right = torch.linalg.qr(flat(rows, size)).Q, torch.linalg.qr(flat(columns, size)).Q
    return (left * torch.arange(1, size + 1).pow(-1.0)) @ right.T


def nearly_low(rows, columns):
    """Return rank 8 and a little noise."""
    return flat(rows, 8) @ flat(8, columns) + 1e-3 * flat(rows, columns)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("make", [flat, falling, nearly_low])
@pytest.mark.parametrize("rank", [1, 8, 20])
def test_residual_is_within_one_percent_of_the_best(make, size, rank):
    """For noise, for falling values, and for what has a low rank."""
    matrix = make(*size)
    up, down = factorise(matrix, rank)
    best = float(torch.linalg.svdvals(matrix.double())[rank:].norm())
    residual = float((matrix.double() - up.double() @ down.double()).norm())

    assert residual <= best * 1.01 + float(matrix.norm()) * 1e-6
    assert (size[0], rank) == up.shape
    assert (rank, size[1]) == down.shape


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_scale_is_on_the_up_side(size):
    """The rows of down are orthonormal."""
    up, down = factorise(falling(*size), 5)

    torch.testing.assert_close(torch.eye(5), down @ down.T, rtol=0, atol=1e-4)
    assert bool((up.norm(dim=0).diff() <= 1e-6).all())


def test_signs_are_always_the_same():
    """The largest number of each pair is positive, so that limits cost least and files are reproducible."""
    up, down = factorise(falling(300, 400), 8)
    both = torch.cat([up, down.T])

    assert bool((both.amax(0) >= -both.amin(0)).all())
    assert all(torch.equal(one, other) for one, other in zip((up, down), factorise(falling(300, 400), 8), strict=True))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_stays_nothing(size):
    """Layers that do not differ at all."""
    up, down = factorise(torch.zeros(*size), 3)

    assert not bool(up.any())
    assert bool(down.isfinite().all())
