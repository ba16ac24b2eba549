"""Which backend paints with a checkpoint: the one that is asked for, or the fastest that is there."""

from pathlib import Path

import structlog
import torch

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.backends.openvino import OpenVinoCompiler, is_installed
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.networks.memory import machine_memory
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.errors import install_command

_MOST_KEPT = 6
_FOR_ROUNDING = 5  # times the UNet in float32: what a compiler holds at once

log = structlog.get_logger(__name__)


def compiled_unet(checkpoint: Checkpoint, backend: str, folder: Path | None = None) -> CompiledUnet | None:
    """Return the checkpoint's UNet behind a backend, with compiled shapes kept in `folder`; None for torch alone.

    "auto" is OpenVINO on CPUs where it is installed. A backend that cannot be had is a warning in the log.
    """
    if backend == "torch":
        return None
    reason = _obstacle(checkpoint)
    if reason is None:
        cache = BlobCache(folder) if folder else None
        compiler = OpenVinoCompiler(checkpoint.unet, identity=checkpoint.hash, cache=cache)
        return CompiledUnet(checkpoint.unet, checkpoint.patches.unet, compiler, kept=_kept(checkpoint.unet))
    if backend == "openvino":
        log.warning("painting with torch in place of OpenVINO", checkpoint=checkpoint.name, reason=reason)
    return None


def _kept(unet: UNet2DConditionModel) -> int:
    """Return how many compiled copies of a UNet half of the machine's memory holds: one at least, a few at most."""
    size: int = sum(parameter.nbytes for parameter in unet.parameters())
    return max(1, min(_MOST_KEPT, machine_memory() // 2 // size))


def _float_bytes(unet: UNet2DConditionModel) -> int:
    """Return how many bytes a UNet takes in float32."""
    count: int = sum(parameter.numel() for parameter in unet.parameters())
    return 4 * count


def _obstacle(checkpoint: Checkpoint) -> str | None:
    """Return why OpenVINO cannot paint with a checkpoint; None where it can."""
    if not isinstance(checkpoint.unet, UNet2DConditionModel):
        return "the checkpoint is an ONNX export, which runs in ONNX Runtime"
    if checkpoint.device.type != "cpu":
        return f"it is for CPUs, and the device is {checkpoint.device}"
    if checkpoint.dtype != torch.float32:
        return f"it is for float32, and the checkpoint is loaded in {str(checkpoint.dtype).removeprefix('torch.')}"
    needed = _FOR_ROUNDING * _float_bytes(checkpoint.unet)
    if checkpoint.unet.dtype == torch.bfloat16 and machine_memory() < needed:
        return f"the machine has less than the {needed >> 30} GiB that compiling in bfloat16 takes"
    if not is_installed():
        return f"it is not installed: {install_command('openvino')}"
    return None
