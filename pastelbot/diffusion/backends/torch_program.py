"""Compile a UNet for one shape with torch's compiler: `python -m pastelbot.diffusion.backends.torch_program FOLDER`.

A process of its own, as tracing changes torch for all threads of a process, and because compilers may crash; its
priority is that of the thread that starts it. It needs no weights: what it makes takes those of the UNet that paints.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pastelbot.diffusion.networks.lean_layers import Layers
from pastelbot.diffusion.networks.lean_unet import LeanUnet, StepInputs
from pastelbot.diffusion.networks.unet import prepare_unet

ORDER, RESULT = "order.json", "unet.pt2"
_PREFIX = "unet."  # of tensors' names
_PARENT_SECONDS = 1.0  # between two looks whether the bot still runs


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to compile: a UNet's configuration, number format, device and strides by name, for one shape of a call."""

    config: dict[str, Any]
    dtype: str
    device: str
    strides: dict[str, tuple[int, ...]]
    latents: tuple[int, ...]
    tokens: int
    threads: int

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), sort_keys=True)


class _Predict(nn.Module):
    """What a UNet computes in each step, by itself."""

    def __init__(self, unet: LeanUnet) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x: Tensor, times: Sequence[Tensor], keys_values: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        return self.unet.predict(x, StepInputs(times, keys_values))


def tensor_name(constant: str) -> str:
    """Return the UNet's name of a tensor that a compiled package takes."""
    return constant.removeprefix(_PREFIX)


def each_row(times: Sequence[Tensor], rows: int) -> list[Tensor]:
    """Return what the time adds to each layer, with a row for each of a call's rows."""
    return [time if time.shape[0] == rows else time.expand(rows, -1, -1, -1).contiguous() for time in times]


def compile_unet(order: Order, result: Path) -> None:
    """Write the package of a compiled UNet, without weights."""
    from torch._inductor import aoti_compile_and_package

    torch.set_num_threads(order.threads)
    unet = _without_numbers(order)
    rows, device, dtype = order.latents[0], torch.device(order.device), getattr(torch, order.dtype)
    x = torch.zeros(order.latents, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    context = torch.zeros((rows, order.tokens, int(unet.config.cross_attention_dim)), device=device, dtype=dtype)
    with torch.no_grad():
        inputs = unet.inputs([0.0] * rows, context)
        Layers.register_joined(unet)
        given = x, tuple(each_row(inputs.times, rows)), tuple(inputs.keys_values)
        exported = torch.export.export(_Predict(unet), given, strict=False)
        # Else a few small tensors would be written into the program as numbers.
        settings = {"aot_inductor.package_constants_in_so": False, "always_keep_tensor_constants": True}
        aoti_compile_and_package(exported, package_path=str(result), inductor_configs=settings)


def _without_numbers(order: Order) -> LeanUnet:
    """Return a UNet whose weights are in place and hold anything: memory that is not touched is not taken."""
    with torch.device("meta"):
        unet: LeanUnet = LeanUnet.from_config(order.config)
    dtype = getattr(torch, order.dtype)
    prepare_unet(unet, torch.device("meta"), dtype)
    weights = {
        name: torch.empty_strided(weight.shape, order.strides[name], dtype=dtype, device=order.device)
        for name, weight in unet.state_dict().items()
    }
    unet.load_state_dict(weights, assign=True)
    unet.requires_grad_(False)
    return unet


def _end_with_parent() -> None:
    """End where the bot that waits for the result ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(folder: str) -> None:
    """Compile what a folder's order says; a failure is one line on standard error."""
    _end_with_parent()
    written = json.loads((Path(folder) / ORDER).read_text(encoding="utf-8"))
    try:
        compile_unet(Order(**written), Path(folder) / RESULT)
    except Exception as error:  # noqa: BLE001 - the edge of the child process
        lines = str(error).strip().splitlines() or [type(error).__name__]
        sys.exit(lines[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
