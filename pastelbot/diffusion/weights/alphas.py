"""The noise schedule that checkpoints carry from their training: the table `alphas_cumprod`."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

ALPHAS = "alphas_cumprod"
_MOST = 10_000


def stated_alphas(tensor: Tensor | None) -> Sequence[float]:
    """Return a table's numbers; none where there is none, or no schedule could have it, as in damaged files."""
    if tensor is None or tensor.dim() != 1 or not 1 < len(tensor) <= _MOST or not tensor.is_floating_point():
        return ()
    numbers: list[float] = tensor.double().tolist()
    falling = all(before > 0 and now <= before <= 1 for before, now in pairwise(numbers))
    return numbers if falling and numbers[-1] >= 0 else ()
