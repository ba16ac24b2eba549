"""Small files of the kinds that the workshop works on: all tensors of the real ones, and few numbers in each."""

import torch
from safetensors.torch import save_file

from pastelbot.formats.layout.tables import text_table, unet_table, vae_table

UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer.text_model."
VAE = "first_stage_model."
POSITIONS = TEXT + "embeddings.position_ids"

WIDTHS = {**{f"level {number}": 8 for number in range(4)}, "context": 12, "inputs": 4}
TEXT_WIDTHS = {"width": 12, "hidden": 24, "vocabulary": 20}


def _sized(table, prefix, widths):
    """Return the shapes of a part by name; between equal widths there are no shortcuts."""
    shapes = {
        prefix + name: tuple(each if isinstance(each, int) else sum(widths[width] for width in each) for each in shape)
        for name, shape in table.items()
    }
    shortcuts = {name for name, shape in shapes.items() if "shortcut" in name and shape[:1] == shape[1:2]}
    skips = {name for name in shapes if ".skip_connection." in name and "input_blocks" in name}
    dropped = {name.rpartition(".")[0] for name in shortcuts | skips}
    return {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] not in dropped}


SHAPES = {
    **_sized(unet_table(), UNET, WIDTHS),
    **_sized(vae_table(), VAE, dict.fromkeys(WIDTHS, 4)),
    **_sized(text_table(1), TEXT, TEXT_WIDTHS),
}

ATTENTION = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
CROSS = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
CONVOLUTION = "lora_unet_down_blocks_0_resnets_0_conv1"
TEXT_LAYER = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
LORA_SHAPES = {ATTENTION: (8, 8), CROSS: (8, 12), TEXT_LAYER: (12, 12)}


def make_checkpoint(*, seed=1, dtype=torch.float32):
    """Return a checkpoint's tensors by their original names."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in SHAPES.items()}
    return {**tensors, POSITIONS: torch.arange(77).unsqueeze(0), "betas": torch.linspace(0.1, 0.2, 5) * seed}


def make_vae(*, width=4):
    """Return the tensors of a VAE of its own, all numbers 1."""
    return {name: torch.ones(shape) for name, shape in _sized(vae_table(), "", dict.fromkeys(WIDTHS, width)).items()}


def make_lora(*, seed=1, rank=2, alpha=1.0, dtype=torch.float32, shapes=LORA_SHAPES):
    """Return a LoRA's tensors under kohya's names."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, (rows, columns) in shapes.items():
        tensors[f"{name}.lora_down.weight"] = torch.randn(rank, columns, generator=generator).to(dtype)
        tensors[f"{name}.lora_up.weight"] = torch.randn(rows, rank, generator=generator).to(dtype)
        if alpha is not None:
            tensors[f"{name}.alpha"] = torch.tensor(alpha, dtype=dtype)
    return tensors


def save(tensors, path, metadata=None):
    """Write a safetensors file and return its path."""
    save_file(tensors, path, metadata)
    return path
