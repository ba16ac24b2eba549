"""The layers that a LoRA may change, by the names that LoRA files have for them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pastelbot.diffusion.weights.ldm import RESNET
from pastelbot.diffusion.weights.original_names import layout_of_original
from pastelbot.diffusion.weights.tensor_sources import TensorInfo
from pastelbot.formats.layout.tables import TEXT_PREFIX, UNET_PREFIX

UNET = "lora_unet_"
TEXT = "lora_te_"

_TEXT_LAYER = re.compile(
    r"(?:text_model\.)?(encoder\.layers\.\d+\.(?:self_attn\.(?:k|v|q|out)_proj|mlp\.fc[12]|layer_norm[12])"
    r"|final_layer_norm)\.weight"
)
_RARE = ("conv_in", "conv_out", "time_embedding")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A layer's weight: its original name and shape, and diffusers' path of the layer within its network.

    `standard` layers are in every LoRA; the others, the UNet's residual blocks and resampling, in LoCons alone, and
    those that no LoRA has in other networks. `bias` says whether the layer has one.
    """

    key: str
    path: str
    shape: tuple[int, ...]
    standard: bool
    bias: bool = False

    @property
    def rare(self) -> bool:
        """Return whether kohya's scripts neither train nor merge a LoRA of it."""
        return len(self.shape) == 1 or self.path.startswith(_RARE)

    def key_of(self, part: int) -> str:
        """Return the original name of a part: 0 is the weight, 1 the bias."""
        return self.key.removesuffix("weight") + "bias" if part else self.key

    def shape_of(self, part: int) -> tuple[int, ...]:
        """Return the shape of a part."""
        return self.shape[:1] if part else self.shape

    @property
    def is_convolution(self) -> bool:
        """Return whether it is a convolution larger than 1x1."""
        return len(self.shape) == 4 and self.shape[2:] != (1, 1)


Targets = Mapping[str, Target]


def find_targets(entries: Mapping[str, TensorInfo], *, rare: bool = False) -> dict[str, Target]:
    """Return a checkpoint's layers by LoRA names. These have dots as underscores: look them up, never split them.

    The `rare` ones are the UNet's first and last layer, its time embedding, and all norms: the webui paints with a
    network's changes of them, kohya's scripts neither train nor merge these.
    """
    found = [(TEXT, target) for target in _text_targets(entries)]
    found += [(UNET, target) for target in _unet_targets(entries)]
    return {start + target.path.replace(".", "_"): target for start, target in found if rare or not target.rare}


def original_aliases(targets: Targets) -> dict[str, str]:
    """Return the LoRA names of the UNet's layers by those that are made of its original names instead of diffusers'."""
    return {
        UNET + target.key.removeprefix(UNET_PREFIX).removesuffix(".weight").replace(".", "_"): name
        for name, target in targets.items()
        if name.startswith(UNET)
    }


def _text_targets(entries: Mapping[str, TensorInfo]) -> Iterator[Target]:
    for name in entries:
        found = _TEXT_LAYER.fullmatch(name.removeprefix(TEXT_PREFIX)) if name.startswith(TEXT_PREFIX) else None
        if found:
            yield _target(entries, name, f"text_model.{found[1]}", standard=True)


def _unet_targets(entries: Mapping[str, TensorInfo]) -> Iterator[Target]:
    layers = [
        name.removeprefix(UNET_PREFIX).removesuffix(".weight")
        for name, entry in entries.items()
        if name.startswith(UNET_PREFIX) and name.endswith(".weight") and len(entry.shape) in (1, 2, 4)
    ]
    for old, new, kind in layout_of_original(entries).modules():
        for layer in layers:
            if layer == old or layer.startswith(old + "."):
                rest = layer.removeprefix(old).removeprefix(".")
                path = ".".join(filter(None, (new, RESNET[rest] if kind == "resnet" else rest)))
                yield _target(entries, f"{UNET_PREFIX}{layer}.weight", path, standard=".attentions." in path)


def _target(entries: Mapping[str, TensorInfo], key: str, path: str, *, standard: bool) -> Target:
    bias = f"{key.removesuffix('weight')}bias" in entries
    return Target(key=key, path=path, shape=entries[key].shape, standard=standard, bias=bias)


_BLOCKS = (
    *(f"down_blocks.{level}.attentions.{layer}" for level in range(3) for layer in range(2)),
    *(f"up_blocks.{level}.attentions.{layer}" for level in range(1, 4) for layer in range(3)),
    "mid_block.attentions.0",
)
_SELF = tuple(f"attn1.{layer}" for layer in ("to_q", "to_k", "to_v", "to_out.0"))
_CROSS = tuple(f"attn2.{layer}" for layer in ("to_q", "to_k", "to_v", "to_out.0"))
_FEED = ("ff.net.0.proj",)


def unet_list_orders() -> Iterator[list[str]]:
    """Yield the orders of layers, as LoRA names, that lists without names were written in: of 2023, 2022, today."""
    for order in ((*_SELF, *_FEED, *_CROSS), (*_SELF, *_CROSS), (*_SELF, *_CROSS, *_FEED)):
        yield [f"{UNET}{block}.transformer_blocks.0.{layer}".replace(".", "_") for block in _BLOCKS for layer in order]


def text_list_order() -> list[str]:
    """Return the order of layers, as LoRA names, in such a list for the text encoder."""
    return [
        f"{TEXT}text_model_encoder_layers_{layer}_self_attn_{part}_proj"
        for layer in range(12)
        for part in ("k", "v", "q", "out")
    ]
