"""Small files of the kinds that the workshop works on: few layers, real names."""

import torch
from safetensors.torch import save_file

UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer.text_model."
VAE = "first_stage_model."
POSITIONS = TEXT + "embeddings.position_ids"

SHAPES = {
    UNET + "time_embed.0.weight": (16, 8),
    UNET + "input_blocks.0.0.weight": (8, 4, 3, 3),
    UNET + "input_blocks.1.0.in_layers.2.weight": (8, 8, 3, 3),
    UNET + "input_blocks.1.0.emb_layers.1.weight": (8, 16),
    UNET + "input_blocks.1.1.proj_in.weight": (8, 8, 1, 1),
    UNET + "input_blocks.1.1.norm.weight": (8,),
    UNET + "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight": (8, 8),
    UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (8, 12),
    UNET + "middle_block.1.transformer_blocks.0.attn1.to_out.0.weight": (8, 8),
    UNET + "output_blocks.3.1.transformer_blocks.0.ff.net.2.weight": (8, 16),
    UNET + "out.2.weight": (4, 8, 3, 3),
    VAE + "encoder.conv_in.weight": (4, 3, 3, 3),
    VAE + "decoder.conv_in.weight": (4, 4, 3, 3),
    TEXT + "embeddings.token_embedding.weight": (20, 12),
    TEXT + "encoder.layers.0.self_attn.q_proj.weight": (12, 12),
    TEXT + "encoder.layers.0.mlp.fc1.weight": (24, 12),
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
