"""The original names of Stable Diffusion 1.x tensors, and their counterparts in diffusers.

A single-file checkpoint holds `model.diffusion_model.*` (UNet), `first_stage_model.*` (VAE) and
`cond_stage_model.transformer.*` (text encoder). The tables here are made from the network's layout, so that narrower
models of the same layout convert as well; `workshop` walks them the other way.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from pastelbot.formats.layout.checking import original_name
from pastelbot.formats.layout.tables import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX

# A network's configuration as its JSON file has it: values of any kind.
Config = dict[str, Any]
Tensors = Mapping[str, Tensor]

_LEVELS = 4
RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def unet_modules(
    layers: int = 2, levels: int = _LEVELS, plain_ups: Container[int] = (0,)
) -> Iterator[tuple[str, str, str]]:
    """Yield (original name, diffusers name, kind) of the UNet's modules; kind is "resnet" or "plain".

    `plain_ups` are the levels of the way up that have no attention.
    """
    yield "time_embed.0", "time_embedding.linear_1", "plain"
    yield "time_embed.2", "time_embedding.linear_2", "plain"
    yield "input_blocks.0.0", "conv_in", "plain"
    yield "out.0", "conv_norm_out", "plain"
    yield "out.2", "conv_out", "plain"
    for place, name, kind in (
        ("0", "resnets.0", "resnet"),
        ("1", "attentions.0", "plain"),
        ("2", "resnets.1", "resnet"),
    ):
        yield f"middle_block.{place}", f"mid_block.{name}", kind
    for level in range(levels):
        first = 1 + level * (layers + 1)
        for layer in range(layers):
            yield f"input_blocks.{first + layer}.0", f"down_blocks.{level}.resnets.{layer}", "resnet"
            yield f"input_blocks.{first + layer}.1", f"down_blocks.{level}.attentions.{layer}", "plain"
        yield f"input_blocks.{first + layers}.0.op", f"down_blocks.{level}.downsamplers.0.conv", "plain"
        yield from _up_modules(level, layers, attends=level not in plain_ups)


def _up_modules(level: int, layers: int, *, attends: bool) -> Iterator[tuple[str, str, str]]:
    first = level * (layers + 1)
    for layer in range(layers + 1):
        yield f"output_blocks.{first + layer}.0", f"up_blocks.{level}.resnets.{layer}", "resnet"
        if attends:
            yield f"output_blocks.{first + layer}.1", f"up_blocks.{level}.attentions.{layer}", "plain"
    upsampler = f"output_blocks.{first + layers}.{2 if attends else 1}.conv"
    yield upsampler, f"up_blocks.{level}.upsamplers.0.conv", "plain"


def vae_modules(layers: int = 2) -> Iterator[tuple[str, str, str]]:
    """Yield (original name, diffusers name, kind) of the VAE's modules; kind is "resnet", "attention" or "plain"."""
    yield "quant_conv", "quant_conv", "plain"
    yield "post_quant_conv", "post_quant_conv", "plain"
    for side in ("encoder", "decoder"):
        yield f"{side}.conv_in", f"{side}.conv_in", "plain"
        yield f"{side}.norm_out", f"{side}.conv_norm_out", "plain"
        yield f"{side}.conv_out", f"{side}.conv_out", "plain"
        yield f"{side}.mid.block_1", f"{side}.mid_block.resnets.0", "resnet"
        yield f"{side}.mid.block_2", f"{side}.mid_block.resnets.1", "resnet"
        yield f"{side}.mid.attn_1", f"{side}.mid_block.attentions.0", "attention"
    for level in range(_LEVELS):
        for layer in range(layers):
            yield f"encoder.down.{level}.block.{layer}", f"encoder.down_blocks.{level}.resnets.{layer}", "resnet"
        yield f"encoder.down.{level}.downsample.conv", f"encoder.down_blocks.{level}.downsamplers.0.conv", "plain"
        up = _LEVELS - 1 - level
        for layer in range(layers + 1):
            yield f"decoder.up.{level}.block.{layer}", f"decoder.up_blocks.{up}.resnets.{layer}", "resnet"
        yield f"decoder.up.{level}.upsample.conv", f"decoder.up_blocks.{up}.upsamplers.0.conv", "plain"


def unet_tensors(tensors: Tensors, modules: Iterable[tuple[str, str, str]] | None = None) -> dict[str, Tensor]:
    """Return the UNet's tensors under diffusers' names; `modules` are those of `unet_modules` for another layout."""
    inner = _within(tensors, UNET_PREFIX)
    renamed: dict[str, Tensor] = {}
    for old, new, kind in unet_modules() if modules is None else modules:
        for rest in _tails(inner, old):
            head, _, parameter = rest.rpartition(".")
            place = RESNET[head] if kind == "resnet" else head
            renamed[".".join(filter(None, (new, place, parameter)))] = inner[f"{old}.{rest}"]
    return renamed


def vae_tensors(tensors: Tensors) -> dict[str, Tensor]:
    """Return the VAE's tensors under diffusers' names, from a whole checkpoint or a VAE file of its own."""
    found = _within(tensors, VAE_PREFIX) or dict(tensors)
    inner = {original_name(name): tensor for name, tensor in found.items()}
    renamed: dict[str, Tensor] = {}
    for old, new, kind in vae_modules():
        for rest in _tails(inner, old):
            tensor = inner[f"{old}.{rest}"]
            head, _, parameter = rest.rpartition(".")
            if kind == "resnet":
                head = head.replace("nin_shortcut", "conv_shortcut")
            if kind == "attention":
                head = VAE_ATTENTION[head]
                # The original attends with convolutions of size 1.
                tensor = tensor.flatten(1) if parameter == "weight" and tensor.dim() == 4 else tensor
            renamed[".".join(filter(None, (new, head, parameter)))] = tensor
    return renamed


def text_tensors(tensors: Tensors) -> dict[str, Tensor]:
    """Return the text encoder's tensors, which have no other names, without what newer versions compute themselves."""
    inner = _within({original_name(name): tensor for name, tensor in tensors.items()}, TEXT_PREFIX)
    # Some early checkpoints lack the part "text_model.".
    names = {name: re.sub(r"^text_model\.", "", name) for name in inner}
    return {new: inner[old] for old, new in names.items() if not new.endswith("position_ids")}


def _within(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _tails(tensors: Tensors, module: str) -> list[str]:
    start = module + "."
    return [name.removeprefix(start) for name in tensors if name.startswith(start)]


def unet_config(unet: Tensors) -> Config:
    """Return diffusers' configuration of an SD 1.x UNet of any width, from its tensors under diffusers' names."""
    widths = [unet[f"down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(_LEVELS)]
    return {
        "block_out_channels": widths,
        "cross_attention_dim": unet["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        # SD 1.x has 8 heads; they leave no trace in the tensors. Narrower models keep 8 channels a head.
        "attention_head_dim": 8 if widths[0] >= 320 else max(1, widths[0] // 8),
        "in_channels": unet["conv_in.weight"].shape[1],
        "out_channels": unet["conv_out.weight"].shape[0],
        "use_linear_projection": unet["mid_block.attentions.0.proj_in.weight"].dim() == 2,
    }


def vae_config(vae: Tensors) -> Config:
    """Return diffusers' configuration of an SD VAE of any width, from its tensors under diffusers' names."""
    widths = [vae[f"encoder.down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(_LEVELS)]
    return {
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * _LEVELS,
        "up_block_types": ["UpDecoderBlock2D"] * _LEVELS,
        "layers_per_block": 2,
        "latent_channels": vae["post_quant_conv.weight"].shape[0],
        "scaling_factor": 0.18215,
    }


def text_config(text: Tensors) -> Config:
    """Return transformers' configuration of an SD 1.x text encoder of any width, from its tensors."""
    vocabulary, width = text["embeddings.token_embedding.weight"].shape
    layers = {name.split(".")[2] for name in text if name.startswith("encoder.layers.")}
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": text["encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(4, width // 64),
        "max_position_embeddings": text["embeddings.position_embedding.weight"].shape[0],
        "hidden_act": "quick_gelu",
        "projection_dim": width,
        "bos_token_id": 49406,
        "eos_token_id": 49407,
    }
