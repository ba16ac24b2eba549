"""Start a VAE as an identity path, so that its latents begin as pooled RGB instead of grey.

The first channels of every layer carry +R +G +B -R -G -B and two large constants. A norm over all channels then divides
by a nearly constant number, and the untrained residual branches start small, so colours pass through unharmed.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

Layer = Any  # diffusers' modules are untyped
CONSTANT = 3.0
CARRIED = 8


def _kernel(kind: str) -> Tensor:
    if kind == "point":
        return torch.ones(1, 1)
    kernel = torch.zeros(3, 3)
    if kind == "middle":
        kernel[1, 1] = 1
    elif kind == "halve":
        kernel[:2, :2] = 0.25
    else:
        tent = torch.tensor([0.25, 0.5, 0.25])
        kernel = tent[:, None] * tent[None]
    return kernel


def _carry(conv: Layer, kind: str) -> None:
    """Let `conv` pass the carried channels through `kind` of kernel."""
    conv.weight.mul_(0.3)
    conv.bias.zero_()
    conv.weight[:CARRIED] = 0
    for i in range(CARRIED):
        conv.weight[i, i] = _kernel(kind)


def _lift(conv: Layer) -> None:
    """Let `conv` open the path: plus and minus copies of three channels, then the constants."""
    conv.weight.mul_(0.3)
    conv.bias.zero_()
    conv.weight[:CARRIED] = 0
    for i in range(6):
        conv.weight[i, i % 3] = _kernel("middle") * (1 if i < 3 else -1)
    conv.bias[6], conv.bias[7] = CONSTANT, -CONSTANT


def _land(conv: Layer, gain: float) -> None:
    """Let `conv` end the path: three channels, each the difference of its copies."""
    conv.weight[:3] = 0
    conv.bias.zero_()
    for i in range(3):
        conv.weight[i, i, 1, 1], conv.weight[i, i + 3, 1, 1] = gain, -gain


def _quieten(block: Layer) -> None:
    for resnet in block.resnets:
        resnet.conv2.weight.mul_(0.2)
        resnet.conv2.bias.zero_()
        if resnet.conv_shortcut is not None:
            _carry(resnet.conv_shortcut, "point")


@torch.no_grad()
def start_as_identity(vae: AutoencoderKL, pictures: Tensor) -> None:
    """Set the weights of a fresh `vae` (one norm group); `pictures` [n, 3, h, w] calibrate the two gains."""
    encoder, decoder = vae.encoder, vae.decoder
    for part in (encoder, decoder):
        _lift(part.conv_in)
        _quieten(part.mid_block)
    for block in encoder.down_blocks:
        _quieten(block)
        for sampler in block.downsamplers or ():
            _carry(sampler.conv, "halve")
    for block in decoder.up_blocks:
        _quieten(block)
        for sampler in block.upsamplers or ():
            _carry(sampler.conv, "tent")
    _land(encoder.conv_out, 1.0)
    encoder.conv_out.weight[3] *= 2
    _land(decoder.conv_out, 1.0)
    for conv in (vae.quant_conv, vae.post_quant_conv):
        conv.weight.copy_(torch.eye(conv.weight.shape[0])[:, :, None, None])
        conv.bias.zero_()
    _calibrate(vae, pictures)


def _calibrate(vae: AutoencoderKL, pictures: Tensor) -> None:
    pooled = functional.avg_pool2d(pictures, 8)
    latents = vae.encode(pictures).latent_dist.mode()
    _land(vae.encoder.conv_out, float((pooled * latents[:, :3]).sum() / latents[:, :3].square().sum()))
    latents = vae.encode(pictures).latent_dist.mode()
    output = vae.decode(latents).sample
    _land(vae.decoder.conv_out, float((pictures * output).sum() / output.square().sum()))
