"""Devices, and the number formats of the networks on them."""

import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from pastelbot.errors import CheckpointError

_DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_FULL_SIZE = 500_000_000  # parameters of a UNet; Stable Diffusion 1.x has 860 million
_FAST_BFLOAT16 = {"amx_bf16", "avx512_bf16"}
_PROCESSOR = Path("/proc/cpuinfo")  # Linux alone


@dataclass(frozen=True, kw_only=True)
class NumberFormats:
    """In what a checkpoint's networks compute; the UNet is most of the work, and the least sensitive."""

    unet: torch.dtype
    others: torch.dtype


def _has_fast_bfloat16(processor: Path = _PROCESSOR) -> bool:
    """Return whether the CPU multiplies matrices in bfloat16 (AMX or AVX512-BF16), as Linux says it."""
    try:
        lines = processor.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and not _FAST_BFLOAT16.isdisjoint(line.split()) for line in lines)


def number_formats(
    precision: str, device: torch.device, parameters: int, *, processor: Path = _PROCESSOR
) -> NumberFormats:
    """Return what the networks beside a UNet of so many parameters compute in.

    "auto" on a CPU that is fast in bfloat16 takes it for UNets of full size: VAE and text encoder, which pictures show
    rounding of, stay in float32.
    """
    others = choose_dtype(precision, device)
    big = precision == "auto" and device.type == "cpu" and parameters >= _FULL_SIZE
    return NumberFormats(unet=torch.bfloat16 if big and _has_fast_bfloat16(processor) else others, others=others)


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


def device_name(device: torch.device) -> str:
    """Return the name that the maker gave to a device, such as that of the processor."""
    if device.type == "cuda":
        name: str = torch.cuda.get_device_name(device)
        return name
    if _PROCESSOR.is_file():
        lines = _PROCESSOR.read_text(encoding="utf-8", errors="replace").splitlines()
        names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(names, platform.machine())
    return platform.processor() or platform.machine()


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format of a name, for "auto" half precision on CUDA and float32 elsewhere."""
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if precision not in PRECISIONS:
        raise CheckpointError(
            f"The precision {precision!r} is unknown; the known ones are auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[precision]
