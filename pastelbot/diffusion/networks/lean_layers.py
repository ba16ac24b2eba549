"""The layers of diffusers' UNet as Stable Diffusion 1.x has them, without what changes no number."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import AttnProcessor2_0
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

Layer = Any  # of diffusers, which has no types
Times = Iterator[Tensor]
KeysValues = Iterator[tuple[Tensor, Tensor]]

_JOINED = "joined"  # the attribute of a self-attention


class Layers:
    """The layers of a UNet whose inputs can be kept, in the order of a call; `plain`: all are as expected."""

    def __init__(self, unet: Layer) -> None:
        """Find the layers of a UNet of diffusers."""
        stages = [*unet.down_blocks, *([] if unet.mid_block is None else [unet.mid_block]), *unet.up_blocks]
        attentions = [each for stage in stages for each in getattr(stage, "attentions", ())]
        self.resnets: list[Layer] = [resnet for stage in stages for resnet in stage.resnets]
        self.blocks: list[Layer] = [block for each in attentions for block in getattr(each, "transformer_blocks", ())]
        self._joined = False
        self.plain = (
            _is_plain(unet)
            and all(map(_is_plain_resnet, self.resnets))
            and all(isinstance(each, Transformer2DModel) and each.is_input_continuous for each in attentions)
            and all(map(_is_plain_block, self.blocks))
        )

    def join(self) -> None:
        """Let the matrices of every self-attention's query, key and value be parts of one."""
        if not self._joined:
            self._joined = True
            for block in self.blocks:
                # LoRAs write into the parts elsewhere, too.
                with torch.inference_mode(mode=block.attn1.to_q.weight.is_inference()):
                    _join(block.attn1)

    @staticmethod
    def joined(unet: nn.Module) -> dict[str, Tensor]:
        """Return the joined matrices of a UNet by name."""
        names = ((name, layer.__dict__.get(_JOINED)) for name, layer in unet.named_modules())
        return {f"{name}.{_JOINED}": matrix for name, matrix in names if matrix is not None}

    @staticmethod
    def register_joined(unet: nn.Module) -> None:
        """Let torch know the joined matrices of a UNet as tensors of its layers."""
        for layer in unet.modules():
            if _JOINED in layer.__dict__:
                layer.register_buffer(_JOINED, layer.__dict__.pop(_JOINED))

    def __deepcopy__(self, memo: dict[int, object]) -> None:
        """Leave it to a copied network to find its own layers."""


def middle(block: Layer, hidden: Tensor, times: Times, keys_values: KeysValues) -> Tensor:
    """Return the features after the block in the middle."""
    hidden = _resnet(block.resnets[0], hidden, next(times))
    for attention, resnet in zip(block.attentions, block.resnets[1:], strict=True):
        hidden = _resnet(resnet, _transformer(attention, hidden, keys_values), next(times))
    return hidden


def _is_plain(unet: Layer) -> bool:
    config = unet.config
    embedded = config.class_embed_type, config.addition_embed_type, config.encoder_hid_dim_type
    return (
        (*embedded, config.time_cond_proj_dim, config.time_embedding_act_fn) == (None,) * 5
        and unet.mid_block is not None
        and not config.center_input_sample
        and config.mid_block_scale_factor == 1
    )


def _is_plain_resnet(resnet: Layer) -> bool:
    return (
        isinstance(resnet, ResnetBlock2D)
        and resnet.time_embedding_norm == "default"
        and resnet.output_scale_factor == 1
        and isinstance(resnet.nonlinearity, nn.SiLU)
        and resnet.upsample is None
        and resnet.downsample is None
        and resnet.time_emb_proj is not None
        and not resnet.skip_time_act
    )


def _is_plain_block(block: Layer) -> bool:
    return (
        isinstance(block, BasicTransformerBlock)
        and block.norm_type == "layer_norm"
        and block.pos_embed is None
        and block.attn2 is not None
        and type(block.ff.net[0]).__name__ == "GEGLU"
        and all(map(_is_plain_attention, (block.attn1, block.attn2)))
    )


def _is_plain_attention(layer: Layer) -> bool:
    return (
        isinstance(layer.processor, AttnProcessor2_0)
        and layer.to_q.bias is None
        and layer.rescale_output_factor == 1
        and not layer.residual_connection
        and (layer.spatial_norm, layer.group_norm, layer.norm_q, layer.norm_k) == (None,) * 4
        and not layer.norm_cross
    )


def _join(attention: Layer) -> None:
    """Make one matrix of three, which become parts of it: what changes them changes it."""
    layers = attention.to_q, attention.to_k, attention.to_v
    joined = torch.cat([layer.weight.detach() for layer in layers])
    for layer, part in zip(layers, joined.chunk(3), strict=True):
        layer.weight.data = part  # the same parameter, as others hold on to it
    attention.__dict__[_JOINED] = joined


def down(block: Layer, hidden: Tensor, times: Times, keys_values: KeysValues) -> Iterator[Tensor]:
    """Yield the features after each layer of a block on the way down."""
    attentions = getattr(block, "attentions", None)
    for number, resnet in enumerate(block.resnets):
        hidden = _resnet(resnet, hidden, next(times))
        if attentions is not None:
            hidden = _transformer(attentions[number], hidden, keys_values)
        yield hidden
    for layer in block.downsamplers or ():
        hidden = layer.conv(hidden)
        yield hidden


def up(block: Layer, hidden: Tensor, skipped: list[Tensor], times: Times, keys_values: KeysValues) -> Tensor:
    """Return the features after a block on the way up; what was skipped is taken off its end."""
    attentions = getattr(block, "attentions", None)
    for number, resnet in enumerate(block.resnets):
        hidden = _resnet(resnet, torch.cat([hidden, skipped.pop()], dim=1), next(times))
        if attentions is not None:
            hidden = _transformer(attentions[number], hidden, keys_values)
    for layer in block.upsamplers or ():
        hidden = layer(hidden, skipped[-1].shape[2:])
    return hidden


def _resnet(layer: Layer, hidden: Tensor, time: Tensor) -> Tensor:
    inner = layer.conv1(F.silu(layer.norm1(hidden), inplace=True)).add_(time)
    inner = layer.conv2(F.silu(layer.norm2(inner), inplace=True))
    result: Tensor = inner.add_(hidden if layer.conv_shortcut is None else layer.conv_shortcut(hidden))
    return result


def _transformer(layer: Layer, hidden: Tensor, keys_values: KeysValues) -> Tensor:
    height, width = hidden.shape[2:]
    inner = layer.norm(hidden)
    if layer.use_linear_projection:
        inner = layer.proj_in(inner.permute(0, 2, 3, 1).flatten(1, 2))
    else:
        inner = layer.proj_in(inner).permute(0, 2, 3, 1).flatten(1, 2)
    for block in layer.transformer_blocks:
        inner = _block(block, inner, *next(keys_values))
    if layer.use_linear_projection:
        inner = layer.proj_out(inner).unflatten(1, (height, width)).permute(0, 3, 1, 2)
    else:
        inner = layer.proj_out(inner.unflatten(1, (height, width)).permute(0, 3, 1, 2))
    result: Tensor = inner + hidden
    return result


def _block(block: Layer, hidden: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return self-attention, cross-attention and feed-forward layer, each added to its input."""
    attention = block.attn1
    joined = F.linear(block.norm1(hidden), attention.joined)
    query, own_key, own_value = (split(part, attention.heads) for part in joined.chunk(3, dim=-1))
    hidden = _attended(attention, query, own_key, own_value).add_(hidden)
    attention = block.attn2
    query = split(attention.to_q(block.norm2(hidden)), attention.heads)
    hidden = _attended(attention, query, key, value).add_(hidden)
    first, _, last = block.ff.net
    inner, gate = first.proj(block.norm3(hidden)).chunk(2, dim=-1)
    result: Tensor = last(inner * F.gelu(gate)).add_(hidden)
    return result


def split(tensor: Tensor, heads: int) -> Tensor:
    """Return (rows, tokens, dim) as (rows, heads, tokens, dim of a head)."""
    rows, tokens, width = tensor.shape
    return tensor.view(rows, tokens, heads, width // heads).transpose(1, 2)


def _attended(layer: Layer, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    attended = F.scaled_dot_product_attention(query, key, value)
    result: Tensor = layer.to_out[0](attended.transpose(1, 2).flatten(2))
    return result
