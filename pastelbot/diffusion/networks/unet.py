"""The UNet of diffusers, made to answer as the original one does."""

from typing import TypeVar, cast

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn import functional

Module = TypeVar("Module", bound=nn.Module)

__all__ = ["UNet2DConditionModel", "float_copy", "place", "prepare_unet"]


class UpsampleThenResize(nn.Module):
    """Double the size, convolve, and only then fit the features to the skip connection's size.

    The original UNet does it in this order where a size is no multiple of 64 pixels; diffusers resizes first.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, hidden_states: Tensor, output_size: tuple[int, int] | None = None) -> Tensor:
        """Return (batch, channels, height, width) features of `output_size`, by default of the double size."""
        doubled = self.conv(functional.interpolate(hidden_states, scale_factor=2.0, mode="nearest"))
        if output_size is None or tuple(doubled.shape[-2:]) == tuple(output_size):
            return cast("Tensor", doubled)
        return functional.interpolate(doubled, size=tuple(output_size), mode="nearest")


def prepare_unet(unet: UNet2DConditionModel, device: torch.device, dtype: torch.dtype) -> UNet2DConditionModel:
    """Put the UNet on the device, for inference only, with the original's order of upsampling."""
    for block in unet.up_blocks:
        for name, layer in enumerate(block.upsamplers or ()):
            if isinstance(layer, Upsample2D):
                block.upsamplers[name] = UpsampleThenResize(layer.conv)
    return place(unet, device, dtype).eval().requires_grad_(False)


def float_copy(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Return a copy of a prepared UNet in float32, on the CPU."""
    with torch.device("meta"):
        copy = type(unet).from_config(unet.config)
    prepare_unet(copy, torch.device("meta"), torch.float32)
    weights = {name: weight.to("cpu", torch.float32) for name, weight in unet.state_dict().items()}
    copy.load_state_dict(weights, assign=True)
    return copy.requires_grad_(False)


def place(
    module: Module,
    device: torch.device,
    dtype: torch.dtype,
    memory_format: torch.memory_format = torch.channels_last,
) -> Module:
    """Move a network of diffusers, whose own `to` warns about half precision without reason."""
    # All at once: each tensor is copied at most one time.
    nn.Module.to(module, device=device, dtype=dtype, memory_format=memory_format)  # type: ignore[call-overload]  # torch's stub lacks it
    return module
