"""Memory: how much there is, recognising that it is out, and giving back what can be given back."""

import ctypes
import gc
import os
import platform
from contextlib import suppress

import torch


def machine_memory() -> int:
    """Return the bytes of the machine's memory; 0 where the system does not say."""
    if platform.system() == "Windows":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
