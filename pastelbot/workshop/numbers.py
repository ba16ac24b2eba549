"""Arithmetic on tensors in float32 and in chunks, so that a large tensor needs no large intermediate."""

import torch
from torch import Tensor

from pastelbot.diffusion.checkpoint.devices import PRECISIONS
from pastelbot.diffusion.weights.chunked import chunks
from pastelbot.errors import WorkshopError


def precision_of(name: str | None) -> torch.dtype | None:
    """Return the number format of a name, None for None; raises WorkshopError with the known names."""
    if name is not None and name not in PRECISIONS:
        raise WorkshopError(f"The precision {name!r} is unknown; the known ones are {', '.join(PRECISIONS)}.")
    return None if name is None else PRECISIONS[name]


def promoted(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    """Return the number format that holds two; of 8-bit floats and another format, that of fp16 and the other."""
    if one == other:
        return one
    wide = [torch.float16 if dtype.is_floating_point and dtype.itemsize == 1 else dtype for dtype in (one, other)]
    return torch.promote_types(*wide)


def combine(effective: list[tuple[Tensor, float]], dtype: torch.dtype) -> Tensor:
    """Return the sum of tensors of one shape, each times its factor: in float32, rounded once to `dtype`."""
    first = effective[0][0]
    result = torch.empty(first.shape, dtype=dtype)
    flat = [(tensor.reshape(-1), factor) for tensor, factor in effective]
    for start, target in chunks(result):
        stop = start + target.numel()
        total = flat[0][0][start:stop].float() * flat[0][1]
        for tensor, factor in flat[1:]:
            total.add_(tensor[start:stop].float(), alpha=factor)
        target.copy_(total)
    return result
