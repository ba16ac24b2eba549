"""Out of memory: recognising it and giving back what can be given back."""

import gc

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
