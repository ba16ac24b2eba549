"""Start a UNet as epsilon = x_t, which is nearly right for the noisiest steps."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel

CONSTANT = 3.0
CARRIED = 16


@torch.no_grad()
def start_as_identity(unet: UNet2DConditionModel) -> None:
    """Carry x_t from conv_in to conv_out over the last skip connection of a fresh `unet`.

    Channels 4i..4i+3 hold +x_i, -x_i and two constants of opposite sign: the last norm, whose groups are four channels
    wide, then divides by a nearly constant number.
    """
    first, last, out = unet.conv_in, unet.up_blocks[-1].resnets[-1], unet.conv_out
    _quieten(unet)
    first.weight[:CARRIED], first.bias[:CARRIED] = 0, 0
    for i in range(4):
        first.weight[4 * i, i, 1, 1], first.weight[4 * i + 1, i, 1, 1] = 1, -1
        first.bias[4 * i + 2], first.bias[4 * i + 3] = CONSTANT, -CONSTANT
    skip = last.conv_shortcut.weight.shape[1] - first.weight.shape[0]
    last.conv_shortcut.weight[:CARRIED], last.conv_shortcut.bias[:CARRIED] = 0, 0
    for i in range(CARRIED):
        last.conv_shortcut.weight[i, skip + i] = 1
    gain = ((1 + CONSTANT**2) / 2) ** 0.5
    out.weight.mul_(0.1), out.bias.zero_()
    out.weight[:, :CARRIED] = 0
    for i in range(4):
        # silu(y) - silu(-y) = y
        out.weight[i, 4 * i, 1, 1], out.weight[i, 4 * i + 1, 1, 1] = gain, -gain


def _quieten(unet: UNet2DConditionModel) -> None:
    """Let all residual branches start small."""
    for module in unet.modules():
        if type(module).__name__ == "ResnetBlock2D":
            module.conv2.weight.mul_(0.3), module.conv2.bias.zero_()
        if type(module).__name__ == "Transformer2DModel":
            module.proj_out.weight.mul_(0.3), module.proj_out.bias.zero_()
    for block in (*unet.up_blocks[-1].resnets[-1:], *getattr(unet.up_blocks[-1], "attentions", ())):
        layer = getattr(block, "conv2", None) or block.proj_out
        layer.weight[:CARRIED].mul_(0.1)
