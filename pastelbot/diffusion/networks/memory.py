"""Out of memory: recognising it and giving back what can be given back."""

import ctypes
import gc
from contextlib import suppress

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that the device's or the machine's memory is full."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def free_memory(device: torch.device) -> None:
    """Give the allocator's unused memory back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def give_back_memory(device: torch.device) -> None:
    """Give all unused memory back, that of the C library too: it takes a moment, so it is for idle times."""
    free_memory(device)
    with suppress(OSError, AttributeError):  # glibc alone has it, and only glibc needs it
        ctypes.CDLL(None).malloc_trim(0)
