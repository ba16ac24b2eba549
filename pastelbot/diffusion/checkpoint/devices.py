"""Devices, and the number formats of the networks on them."""

import torch

from pastelbot.errors import CheckpointError

_DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def choose_device(device: str) -> torch.device:
    """Return the device of a name, for "auto" the best there is; raises where it is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind = device.partition(":")[0]
    if kind not in available:
        raise CheckpointError(f"The device {device!r} is unknown; the known ones are {', '.join(_DEVICES)}.")
    if not available[kind]:
        raise CheckpointError(f"The device {device!r} is not available on this machine; set checkpoint.device to auto.")
    return torch.device(device)


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format of a name, for "auto" half precision on CUDA and float32 elsewhere."""
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if precision not in PRECISIONS:
        raise CheckpointError(
            f"The precision {precision!r} is unknown; the known ones are auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[precision]
