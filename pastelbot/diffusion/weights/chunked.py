"""Large tensors in chunks, so that they need no large intermediate."""

from collections.abc import Iterator

import torch
from torch import Tensor

# Numbers in a chunk: its float32 intermediates stay in the processor's cache.
_CHUNK = 2**18

# For each number format: integers of the same size, all bits but the sign, and the exponent's bits.
_BITS = {
    torch.float16: (torch.int16, 0x7FFF, 0x7C00),
    torch.bfloat16: (torch.int16, 0x7FFF, 0x7F80),
    torch.float32: (torch.int32, 0x7FFFFFFF, 0x7F800000),
}


def is_finite(tensor: Tensor) -> bool:
    """Return whether a tensor has neither NaN nor infinity, from its bits; formats without them are finite."""
    if tensor.dtype not in _BITS:
        return not tensor.dtype.is_floating_point or tensor.dtype.itemsize == 1 or bool(tensor.isfinite().all())
    integers, magnitude, infinity = _BITS[tensor.dtype]
    bits = tensor.contiguous().view(integers)
    return all(int((chunk & magnitude).max()) < infinity for _start, chunk in chunks(bits))


def chunks(tensor: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield a contiguous tensor's numbers in chunks, each with the place where it starts."""
    flat = tensor.view(-1)
    for start in range(0, flat.numel(), _CHUNK):
        yield start, flat[start : start + _CHUNK]
