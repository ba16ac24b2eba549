"""LoRAs and embeddings for the bundled checkpoint, as files."""

import torch
from safetensors.torch import save_file


def lora_tensors(targets, *, seed=1, rank=2, part="", strength=0.3, alpha=1.0, conv=False):
    """Return a LoRA's tensors under kohya's names, for the layers that kohya trains and whose name begins so."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, target in targets.items():
        if target.rare or not name.startswith(part) or (target.is_convolution and not conv):
            continue
        outputs, inputs, *kernel = target.shape
        down = torch.randn(rank, inputs, *kernel, generator=generator) * strength
        up = torch.randn(outputs, rank, *([1] * len(kernel)), generator=generator) * strength
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        tensors[f"{name}.alpha"] = torch.tensor(alpha)
    return tensors


def write_lora(folder, name, targets, *, metadata=None, **options):
    """Write a LoRA and return its path."""
    path = folder / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(lora_tensors(targets, **options), path, metadata)
    return path
