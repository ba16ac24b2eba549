"""Torch's own compiler behind a UNet: one compiled package a shape, which computes with the weights of the UNet itself.

So LoRAs and other checkpoints of the same form need nothing compiled, and a package takes a few megabytes.
"""

import io
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import pastelbot
from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_calls import Predict
from pastelbot.diffusion.backends.compiled_unet import Bucket
from pastelbot.diffusion.backends.torch_program import ORDER, RESULT, Order, each_row, tensor_name
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.weights.child_programs import run_module
from pastelbot.errors import PaintingError

Build = Callable[[Order], bytes]
Which = Callable[[str], str | None]

# Of an answer's norm. The bundled UNet differs by 6e-7 in float32.
_TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 6e-2, torch.float16: 2e-2}
_COMPILERS = ("g++", "clang++", "c++")
_PROCESSOR = Path("/proc/cpuinfo")  # Linux alone
_DEVICES = ("cpu", "cuda")


class TorchUnetCompiler:
    """Compiles a UNet with torch's compiler, in another process; `cache` keeps the packages."""

    name = "torch-compile"
    has_loras_inside = False

    def __init__(self, unet: LeanUnet, *, cache: BlobCache | None = None, build: Build | None = None) -> None:
        self.tolerance = _TOLERANCES[unet.dtype]
        self.rows = 4 if unet.device.type == "cuda" else 2
        self._unet = unet
        self._tensors = unet.tensors()
        self._cache = cache
        self._build = build or _build_in_child

    def has(self, bucket: Bucket, *, threads: int) -> bool:
        """Return whether the cache has a bucket."""
        return self._cache is not None and self._cache.has(self._key(self._order(bucket, threads)))

    def compile(self, bucket: Bucket, *, threads: int, unchanged: Callable[[], bool]) -> Predict:
        """Return the UNet for a bucket, from the cache or compiled; its weights may change whenever they like."""
        del unchanged
        order = self._order(bucket, threads)
        key = self._key(order)
        package = self._cache.read(key) if self._cache else None
        if package is None:
            package = self._build(order)
            if self._cache:
                self._cache.write(key, package)
        return self._function(package)

    def _order(self, bucket: Bucket, threads: int) -> Order:
        names = self._unet.state_dict().keys()
        return Order(
            config={name: value for name, value in self._unet.config.items() if not name.startswith("_")},
            dtype=str(self._unet.dtype).removeprefix("torch."),
            device=str(self._unet.device),
            strides={name: tuple(self._tensors[name].stride()) for name in names},
            latents=bucket.latents,
            tokens=bucket.tokens,
            threads=threads,
        )

    @staticmethod
    def _key(order: Order) -> tuple[str, ...]:
        return (pastelbot.__version__, torch.__version__, order.device, _machine(order.device), order.to_json())

    def _function(self, package: bytes) -> Predict:
        from torch._inductor import aoti_load_package

        unet, tensors = self._unet, self._tensors
        model: Any = aoti_load_package(io.BytesIO(package), device_index=_index(unet.device))
        needed = {name: tensors[tensor_name(name)] for name in model.get_constant_fqns()}
        model.load_constants(needed, check_full_update=True, user_managed=True)

        def predict(x: Tensor, times: Tensor, context: Tensor) -> Tensor:
            inputs = unet.inputs(times.tolist(), context)
            given = [x.contiguous(memory_format=torch.channels_last), *each_row(inputs.times, x.shape[0])]
            given += [tensor for pair in inputs.keys_values for tensor in pair]
            (answer,) = model.loader.run(given)  # as calling the model does, which reads its description anew each time
            return answer  # type: ignore[no-any-return]

        return predict


def _build_in_child(order: Order) -> bytes:
    """Return the package of a compiled UNet, made by another process; raises PaintingError with its reason."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ORDER).write_text(order.to_json(), encoding="utf-8")
        environment = {"TORCHINDUCTOR_CACHE_DIR": str(folder / "cache"), "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        reason = run_module("pastelbot.diffusion.backends.torch_program", name, environment=environment)
        if reason is not None:
            raise PaintingError(reason)
        return (folder / RESULT).read_bytes()


def torch_compile_obstacle(unet: object, which: Which | None = None) -> str | None:
    """Return why torch's compiler cannot be used for a UNet on this machine; None where it can."""
    if not isinstance(unet, LeanUnet) or not unet.is_plain:
        return "the checkpoint's UNet is built otherwise than that of Stable Diffusion 1.x"
    if unet.device.type not in _DEVICES:
        return f"it is for CPUs and CUDA, and the device is {unet.device}"
    if not any(map(which or shutil.which, (os.environ.get("CXX", ""), *_COMPILERS))):
        return "there is no C++ compiler; install g++ or clang"
    if unet.device.type == "cuda" and find_spec("triton") is None:
        return "triton is not installed, which a torch for CUDA comes with"
    return None


def _machine(device: str) -> str:
    """Return all that a compiled package depends on of the machine: it may use any instruction of its processor."""
    card = f"{torch.cuda.get_device_name(device)} {torch.version.cuda}\n" if device.startswith("cuda") else ""
    if not _PROCESSOR.is_file():
        return f"{card}{platform.machine()} {platform.processor()}"
    lines = _PROCESSOR.read_text(encoding="utf-8", errors="replace").splitlines()
    told = dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features")))
    return card + "\n".join(told)


def _index(device: torch.device) -> int:
    """Return a device's number as the loader of packages counts; -1 is the present one."""
    return -1 if device.index is None else device.index
