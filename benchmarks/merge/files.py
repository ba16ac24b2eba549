"""Checkpoints and LoRAs of Stable Diffusion 1.5's layout with random weights, full-size or narrow."""

import zlib
from pathlib import Path

import torch
from torch import Tensor

from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.networks.vae import AutoencoderKL
from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.original_names import (
    is_vae_attention,
    original_text_name,
    original_unet_name,
    original_vae_name,
)
from pastelbot.diffusion.weights.tensor_sources import TensorInfo
from pastelbot.workshop.writing import write

CHECKPOINTS = ("a", "b", "c")
LORA_COUNT = 5


class RandomSource:
    """Random numbers that depend on the seed and the name alone, in half precision."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], seed: int, scale: float) -> None:
        self.label = "random"
        self._seed, self._scale = seed, scale
        self.entries = {name: TensorInfo(torch.float16, shape) for name, shape in shapes.items()}

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self._seed} {name}".encode()))
        return (torch.randn(self.entries[name].shape, generator=generator) * self._scale).half()


def checkpoint_shapes(*, narrow: bool) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a checkpoint's 1130 tensors; a narrow one has the same names."""
    unet_widths, vae_widths = (
        ((32, 64, 64, 64), (32, 32, 32, 32)) if narrow else ((320, 640, 1280, 1280), (128, 256, 512, 512))
    )
    text, vocabulary = (64, 400) if narrow else (768, 49408)
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            cross_attention_dim=text, attention_head_dim=8, block_out_channels=unet_widths
        ).state_dict()
        vae = AutoencoderKL(
            block_out_channels=vae_widths,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        ).state_dict()
    shapes = {str(original_unet_name(name)): tuple(tensor.shape) for name, tensor in unet.items()}
    for name, tensor in vae.items():
        old = str(original_vae_name(name))
        shapes[old] = (*tensor.shape, 1, 1) if is_vae_attention(old) else tuple(tensor.shape)
    return shapes | {original_text_name(name): shape for name, shape in text_shapes(text, vocabulary).items()}


def text_shapes(width: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of CLIP's text encoder of 12 layers."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.token_embedding.weight": (vocabulary, width),
        "embeddings.position_embedding.weight": (77, width),
    }
    linear = {f"self_attn.{part}_proj": (width, width) for part in "kvq"} | {"self_attn.out_proj": (width, width)}
    linear |= {"mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
    for layer in range(12):
        for name, shape in linear.items():
            shapes[f"encoder.layers.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layers.{layer}.{name}.bias"] = shape[:1]
        for norm in ("layer_norm1", "layer_norm2"):
            shapes |= {f"encoder.layers.{layer}.{norm}.{part}": (width,) for part in ("weight", "bias")}
    return shapes | {f"final_layer_norm.{part}": (width,) for part in ("weight", "bias")}


def make_files(folder: Path, *, narrow: bool, rank: int) -> None:
    """Write checkpoints a, b and c, and LoRAs of this rank."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = checkpoint_shapes(narrow=narrow)
    for seed, name in enumerate(CHECKPOINTS):
        write(RandomSource(shapes, seed, 0.03), folder / f"{name}.safetensors")
    targets = find_targets({name: TensorInfo(torch.float16, shape) for name, shape in shapes.items()})
    for number in range(LORA_COUNT):
        factors = {}
        for name, target in targets.items():
            if target.standard:
                tail = (1,) * (len(target.shape) - 2)
                factors[f"{name}.lora_down.weight"] = (rank, target.shape[1], *tail)
                factors[f"{name}.lora_up.weight"] = (target.shape[0], rank, *tail)
        write(RandomSource(factors, 100 + number, 0.01), folder / f"lora{number}.safetensors")


WEIGHTS_1 = "1,0.9,0.7,0.5,0.3,0.1,1,1,1,1,1,1,0,1,1,1,1,1,1,0.1,0.3,0.5,0.7,0.9,1"
WEIGHTS_2 = "1,1" + ",0" * 23
RATIOS = (0.3, 1.0, 0.5, 0.6, 0.35)
PREFIXES = (ldm.UNET_PREFIX, ldm.TEXT_PREFIX)
