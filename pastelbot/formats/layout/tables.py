"""Tables of the tensors of Stable Diffusion 1.x: names and shapes of the UNet, the VAE and the text encoder.

A dimension is a number, or a sum of widths by name, such as ("level 0", "level 1"): models of the same layout may be
narrower. The names are the original ones, without the part's prefix.
"""

from collections.abc import Iterator, Mapping
from functools import cache

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer."

Width = tuple[str, ...]
Dimension = int | Width
Row = tuple[str, tuple[Dimension, ...]]
Table = Mapping[str, tuple[Dimension, ...]]

_LEVELS = 4
_LAYERS = 2
_CONTEXT: Width = ("context",)
_TIME: Width = ("level 0",) * 4
_LAST = _LEVELS - 1
_LATENT = 4
_COLOURS = 3
_POSITIONS = 77


def _level(number: int) -> Width:
    return (f"level {number}",)


def _layer(name: str, *weight: Dimension) -> Iterator[Row]:
    """Yield the weight and the bias, as long as the weight's first side, of a layer."""
    yield f"{name}.weight", weight
    yield f"{name}.bias", weight[:1]


def _unet_resnet(name: str, into: Width, out: Width) -> Iterator[Row]:
    yield from _layer(f"{name}.in_layers.0", into)
    yield from _layer(f"{name}.in_layers.2", out, into, 3, 3)
    yield from _layer(f"{name}.emb_layers.1", out, _TIME)
    yield from _layer(f"{name}.out_layers.0", out)
    yield from _layer(f"{name}.out_layers.3", out, out, 3, 3)
    if into != out:
        yield from _layer(f"{name}.skip_connection", out, into, 1, 1)


def _unet_attention(name: str, width: Width) -> Iterator[Row]:
    yield from _layer(f"{name}.norm", width)
    for projection in ("proj_in", "proj_out"):
        yield from _layer(f"{name}.{projection}", width, width, 1, 1)
    block = f"{name}.transformer_blocks.0"
    for number, source in ((1, width), (2, _CONTEXT)):
        yield f"{block}.attn{number}.to_q.weight", (width, width)
        yield f"{block}.attn{number}.to_k.weight", (width, source)
        yield f"{block}.attn{number}.to_v.weight", (width, source)
        yield from _layer(f"{block}.attn{number}.to_out.0", width, width)
    yield from _layer(f"{block}.ff.net.0.proj", width * 8, width)
    yield from _layer(f"{block}.ff.net.2", width, width * 4)
    for number in (1, 2, 3):
        yield from _layer(f"{block}.norm{number}", width)


def _unet_rows() -> Iterator[Row]:
    yield from _layer("time_embed.0", _TIME, _level(0))
    yield from _layer("time_embed.2", _TIME, _TIME)
    yield from _layer("input_blocks.0.0", _level(0), ("inputs",), 3, 3)
    yield from _layer("out.0", _level(0))
    yield from _layer("out.2", _LATENT, _level(0), 3, 3)
    skips = [_level(0)]
    width = _level(0)
    for level in range(_LEVELS):
        for layer in range(_LAYERS):
            name = f"input_blocks.{1 + level * (_LAYERS + 1) + layer}"
            yield from _unet_resnet(f"{name}.0", width, _level(level))
            width = _level(level)
            if level != _LAST:
                yield from _unet_attention(f"{name}.1", width)
            skips.append(width)
        if level != _LAST:
            yield from _layer(f"input_blocks.{(level + 1) * (_LAYERS + 1)}.0.op", width, width, 3, 3)
            skips.append(width)
    yield from _unet_resnet("middle_block.0", width, width)
    yield from _unet_attention("middle_block.1", width)
    yield from _unet_resnet("middle_block.2", width, width)
    yield from _unet_ups(width, skips)


def _unet_ups(width: Width, skips: list[Width]) -> Iterator[Row]:
    for up in range(_LEVELS):
        out = _level(_LAST - up)
        for layer in range(_LAYERS + 1):
            name = f"output_blocks.{up * (_LAYERS + 1) + layer}"
            yield from _unet_resnet(f"{name}.0", width + skips.pop(), out)
            width = out
            if up:
                yield from _unet_attention(f"{name}.1", width)
        if up != _LAST:
            yield from _layer(f"output_blocks.{up * (_LAYERS + 1) + _LAYERS}.{2 if up else 1}.conv", width, width, 3, 3)


def _vae_resnet(name: str, into: Width, out: Width) -> Iterator[Row]:
    yield from _layer(f"{name}.norm1", into)
    yield from _layer(f"{name}.conv1", out, into, 3, 3)
    yield from _layer(f"{name}.norm2", out)
    yield from _layer(f"{name}.conv2", out, out, 3, 3)
    if into != out:
        yield from _layer(f"{name}.nin_shortcut", out, into, 1, 1)


def _vae_side(side: str, first: int, into: int, out: int) -> Iterator[Row]:
    """Yield what encoder and decoder have in common, from the level `first` to the other end."""
    last = _LAST - first
    yield from _layer(f"{side}.conv_in", _level(first), into, 3, 3)
    yield from _layer(f"{side}.norm_out", _level(last))
    yield from _layer(f"{side}.conv_out", out, _level(last), 3, 3)
    middle = _level(_LAST)
    yield from _vae_resnet(f"{side}.mid.block_1", middle, middle)
    yield from _layer(f"{side}.mid.attn_1.norm", middle)
    for name in ("q", "k", "v", "proj_out"):
        yield from _layer(f"{side}.mid.attn_1.{name}", middle, middle, 1, 1)
    yield from _vae_resnet(f"{side}.mid.block_2", middle, middle)


def _vae_rows() -> Iterator[Row]:
    yield from _layer("quant_conv", 2 * _LATENT, 2 * _LATENT, 1, 1)
    yield from _layer("post_quant_conv", _LATENT, _LATENT, 1, 1)
    yield from _vae_side("encoder", 0, _COLOURS, 2 * _LATENT)
    yield from _vae_side("decoder", _LAST, _LATENT, _COLOURS)
    for level in range(_LEVELS):
        width = _level(max(level - 1, 0))
        for layer in range(_LAYERS):
            yield from _vae_resnet(f"encoder.down.{level}.block.{layer}", width, _level(level))
            width = _level(level)
        if level != _LAST:
            yield from _layer(f"encoder.down.{level}.downsample.conv", width, width, 3, 3)
        width = _level(min(level + 1, _LAST))
        for layer in range(_LAYERS + 1):
            yield from _vae_resnet(f"decoder.up.{level}.block.{layer}", width, _level(level))
            width = _level(level)
        if level:
            yield from _layer(f"decoder.up.{level}.upsample.conv", width, width, 3, 3)


def _text_rows(layers: int) -> Iterator[Row]:
    width: Width = ("width",)
    yield "embeddings.token_embedding.weight", (("vocabulary",), width)
    yield "embeddings.position_embedding.weight", (_POSITIONS, width)
    yield from _layer("final_layer_norm", width)
    for number in range(layers):
        name = f"encoder.layers.{number}"
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from _layer(f"{name}.self_attn.{projection}", width, width)
        yield from _layer(f"{name}.mlp.fc1", ("hidden",), width)
        yield from _layer(f"{name}.mlp.fc2", width, ("hidden",))
        for norm in ("layer_norm1", "layer_norm2"):
            yield from _layer(f"{name}.{norm}", width)


@cache
def unet_table() -> Table:
    """Return the UNet's tensors."""
    return dict(_unet_rows())


@cache
def vae_table() -> Table:
    """Return the VAE's tensors."""
    return dict(_vae_rows())


@cache
def text_table(layers: int) -> Table:
    """Return the text encoder's tensors, without the part "text_model." of their names."""
    return dict(_text_rows(layers))
