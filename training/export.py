"""Write the diffusers folder: half precision, full CLIP vocabulary, whitening folded into the VAE."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel

from training.latents import load_vae
from training.text import inner
from training.text import load as load_text
from training.unet import CONFIG
from training.workspace import Workspace, arguments

SCALING_FACTOR = 0.18215
VOCABULARY = 49408
SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.6.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
    "clip_sample": False,
    "prediction_type": "epsilon",
}
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.6.0",
    "feature_extractor": [None, None],
    "_pastelbot_name": "pastelbot-lorelei",  # what infotexts say
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def text_encoder(work: Workspace) -> CLIPTextModel:
    """Return the encoder with the full vocabulary: words never trained share one row."""
    model, used = load_text(work)
    compact = inner(model).embeddings.token_embedding.weight.data
    rows = compact[:1].repeat(VOCABULARY, 1)
    rows[torch.tensor(used)] = compact[1:]
    inner(model).embeddings.token_embedding = nn.Embedding(VOCABULARY, rows.shape[1], _weight=rows)
    model.config.vocab_size = VOCABULARY
    return model


def unet(work: Workspace, *, averaged: bool = False) -> UNet2DConditionModel:
    """Return the UNet: its last weights, or their running average, which lags behind what was learnt at the end."""
    refined = work.path("unet_refined.pt").exists()
    state = torch.load(work.path("unet_refined.pt" if refined else "unet.pt"), weights_only=True)
    model = UNet2DConditionModel(**CONFIG)
    model.load_state_dict(state["unet"])
    if averaged:
        for parameter, mean in zip(model.parameters(), state["average"], strict=True):
            parameter.data.copy_(mean)
    return model


@torch.no_grad()
def vae(work: Workspace) -> AutoencoderKL:
    """Return the VAE whose latents, times the scaling factor, are white: an exact change of its 1x1 convolutions."""
    refined = work.path("vae_decoder.pt").exists()
    model = load_vae(work, "vae_decoder.pt" if refined else "vae.pt")
    white = {name: torch.from_numpy(value) for name, value in np.load(work.path("whitening.npz")).items()}
    enter, leave = model.quant_conv, model.post_quant_conv
    enter.bias[:4] = white["matrix"] @ (enter.bias[:4] - white["mean"]) / SCALING_FACTOR
    enter.weight[:4, :, 0, 0] = white["matrix"] @ enter.weight[:4, :, 0, 0] / SCALING_FACTOR
    # The latents are deterministic: a tiny variance for callers who sample them.
    enter.weight[4:], enter.bias[4:] = 0, -14
    leave.bias += leave.weight[:, :, 0, 0] @ white["mean"]
    leave.weight[:, :, 0, 0] = leave.weight[:, :, 0, 0] @ white["inverse"] * SCALING_FACTOR
    model.register_to_config(scaling_factor=SCALING_FACTOR)
    return model.to(memory_format=torch.contiguous_format)


def export(work: Workspace, folder: Path, *, averaged: bool = False) -> int:
    """Write all parts to `folder` and return its size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (
        ("text_encoder", text_encoder(work)),
        ("unet", unet(work, averaged=averaged)),
        ("vae", vae(work)),
    ):
        part.half().save_pretrained(folder / name)
    shutil.copytree(work.path("tokenizer"), folder / "tokenizer", dirs_exist_ok=True)
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULER, indent=2) + "\n")
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Run the step from the command line."""
    parser = arguments(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--averaged", action="store_true", help="take the UNet's running average, not the last weights")
    given = parser.parse_args()
    print(f"{export(Workspace(given.work), given.out, averaged=given.averaged) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
