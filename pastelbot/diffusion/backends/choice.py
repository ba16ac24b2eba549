"""Which backend paints with a checkpoint: the one that is asked for, or the fastest that is there."""

from pathlib import Path
from weakref import WeakSet

import structlog
import torch
from torch import nn

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_calls import CompilerThread
from pastelbot.diffusion.backends.compiled_unet import CompiledUnet, UnetCompiler
from pastelbot.diffusion.backends.compiled_vae import CompiledVae
from pastelbot.diffusion.backends.openvino_cpu import is_installed
from pastelbot.diffusion.backends.openvino_unet import OpenVinoUnetCompiler
from pastelbot.diffusion.backends.openvino_vae import OpenVinoVaeCompiler
from pastelbot.diffusion.backends.torch_unet import TorchUnetCompiler, torch_compile_obstacle
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.networks.memory import machine_memory
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.networks.vae import AutoencoderKL, Vae
from pastelbot.errors import install_command

_AUTOMATIC = {"cpu": "openvino", "cuda": "torch-compile"}  # by kind of device
_MOST_KEPT = 6
_MOST_PACKAGES = 16  # of torch's compiler, which hold no weights
_UNETS_SHARE, _VAES_SHARE = 2, 8  # of the memory, as divisors
_FOR_ROUNDING = 5  # times the UNet in float32: what a compiler holds at once

log = structlog.get_logger(__name__)


class CompiledNetworks:
    """A checkpoint's networks behind a backend; `cache` keeps what was compiled. One size at a time is compiled."""

    def __init__(self, checkpoint: Checkpoint, backend: str, cache: BlobCache | None = None) -> None:
        self._cache = cache
        self._compiles_vaes = backend == "openvino"
        self._thread = CompilerThread()
        self._vaes: WeakSet[CompiledVae] = WeakSet()  # other ones come and go
        compiler: UnetCompiler
        if backend == "openvino":
            compiler = OpenVinoUnetCompiler(checkpoint.unet, identity=checkpoint.hash, cache=cache)
            kept = _kept(checkpoint.unet, _UNETS_SHARE)
        else:
            compiler, kept = TorchUnetCompiler(checkpoint.unet, cache=cache), _MOST_PACKAGES
        self.unet = CompiledUnet(checkpoint.unet, checkpoint.patches.unet, compiler, kept=kept, start=self._thread)
        self.serve(checkpoint.vae)

    @property
    def compiling(self) -> bool:
        """Return whether a size is being compiled."""
        return any(network.compiling for network in self._all())

    @property
    def sizes(self) -> int:
        """Return how many sizes of all networks are compiled, apart from those that the next calls take over."""
        return sum(network.sizes for network in self._all())

    def serve(self, vae: Vae) -> None:
        """Let a VAE in float32 be answered by compiled networks, where they are faster."""
        if self._compiles_vaes and isinstance(vae.model, AutoencoderKL) and vae.model.dtype == torch.float32:
            compiler = OpenVinoVaeCompiler(vae.model, cache=self._cache)
            compiled = CompiledVae(compiler, kept=_kept(vae.model, _VAES_SHARE), start=self._thread)
            self._vaes.add(compiled)
            vae.compiled = compiled

    def _all(self) -> list[CompiledUnet | CompiledVae]:
        return [self.unet, *self._vaes]


def compiled_networks(checkpoint: Checkpoint, backend: str, folder: Path | None = None) -> CompiledNetworks | None:
    """Return the checkpoint's networks behind a backend, with compiled shapes kept in `folder`; None for torch alone.

    "auto" is torch's compiler on CUDA, and OpenVINO on CPUs where it is installed. A backend that cannot be had is a
    warning in the log, except OpenVINO on "auto".
    """
    wanted = _AUTOMATIC.get(checkpoint.device.type, "torch") if backend == "auto" else backend
    if wanted == "torch":
        return None
    reason = torch_compile_obstacle(checkpoint.unet) if wanted == "torch-compile" else _openvino_obstacle(checkpoint)
    if reason is None:
        return CompiledNetworks(checkpoint, wanted, BlobCache(folder) if folder else None)
    if backend != "auto" or wanted == "torch-compile":
        log.warning("painting with torch alone", backend=wanted, checkpoint=checkpoint.name, reason=reason)
    return None


def _kept(network: nn.Module, share: int) -> int:
    """Return how many compiled copies of a network a part of the memory holds: one at least, a few at most."""
    size: int = sum(parameter.nbytes for parameter in network.parameters())
    return max(1, min(_MOST_KEPT, machine_memory() // share // size))


def _float_bytes(unet: UNet2DConditionModel) -> int:
    """Return how many bytes a UNet takes in float32."""
    count: int = sum(parameter.numel() for parameter in unet.parameters())
    return 4 * count


def _openvino_obstacle(checkpoint: Checkpoint) -> str | None:
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
