"""Best low-rank approximation of a matrix."""

import torch
from torch import Tensor

# Columns that the random subspace has in excess of the rank.
_SPARE = 32
_FEWEST_ROUNDS = 2
_MOST_ROUNDS = 10
# The search ends when a round improves the squared residual by less than this part of it.
_ENOUGH = 0.005
# The resolution of a squared norm in float32.
_RESOLUTION = 1e-7


def factorise(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return `up` [rows, rank], which bears the singular values, and `down` [rank, columns] with orthonormal rows.

    Their product is the best approximation of a float32 matrix, or within 1 % of its residual where that is faster.
    Signs are such that of each column of `up` and its row of `down` together the largest number is positive.
    """
    if matrix.shape[0] < matrix.shape[1]:
        left, values, right = _tall(matrix.T, rank)
        left, right = right, left
    else:
        left, values, right = _tall(matrix, rank)
    up, down = left * values, right.T
    both = torch.cat([up, down.T])
    largest = both.gather(0, both.abs().argmax(0, keepdim=True))
    signs = torch.where(largest < 0, -1.0, 1.0)
    return up * signs, (down * signs.T).contiguous()


def _tall(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return singular vectors and values of a matrix with no fewer rows than columns."""
    if matrix.shape[1] <= 4 * rank or matrix.shape[1] <= 128:
        return _from_gram(matrix, rank)
    return _from_subspace(matrix, rank)


def _from_gram(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Take the right vectors from the eigenvectors of A'A, in float64 because it squares the condition."""
    exact = matrix.double()
    _values, vectors = torch.linalg.eigh(exact.T @ exact)
    right = vectors[:, -rank:].flip(1)
    left = exact @ right
    values = left.norm(dim=0)
    left = left / values.clamp_min(torch.finfo(torch.float64).tiny)
    return left.float(), values.float(), right.float()


def _from_subspace(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Take them from a random subspace that is turned towards the largest ones in rounds (Halko et al. 2011)."""
    columns = min(rank + _SPARE, matrix.shape[1])
    generator = torch.Generator().manual_seed(0)
    basis = torch.randn(matrix.shape[1], columns, generator=generator)
    whole = float(matrix.norm().double() ** 2)
    captured = 0.0
    for round_number in range(_MOST_ROUNDS):
        left = torch.linalg.qr(matrix @ basis).Q
        small = left.T @ matrix
        values, vectors = torch.linalg.eigh((small @ small.T).double())
        gained, captured = float(values[-rank:].sum()) - captured, float(values[-rank:].sum())
        enough = max(_ENOUGH * (whole - captured), _RESOLUTION * whole)
        if round_number + 1 >= _FEWEST_ROUNDS and gained <= enough:
            break
        basis = torch.linalg.qr(small.T).Q
    top = vectors[:, -rank:].flip(1).float()
    right = small.T @ top
    norms = right.norm(dim=0)
    return left @ top, norms, right / norms.clamp_min(torch.finfo(torch.float32).tiny)
