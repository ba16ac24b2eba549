"""What the cases from the field share: an infotext, variants of the small checkpoint, what the bot would paint."""

import re
from pathlib import Path

import torch
from helpers.studio import OPEN

DATA = Path(__file__).parents[1] / "field" / "data"
UNET, VAE = "model.diffusion_model.", "first_stage_model."
PAINTING = ["--seed", "1", "--steps", "1", "--size", "64x64", "--no-hires"]
INFOTEXT = "1girl, red hair\nNegative prompt: hat\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"
HIRES = "Denoising strength: 0.4, Hires upscale: 1.5, Hires upscaler:"
PAINTED = "PAINTS '1girl, red hair' 'hat' 12 Euler a 6 77 128x192"


def without(tensors, prefix):
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}


def ema_only(tensors):
    smoothed = {name: tensor for name, tensor in tensors.items() if name.startswith(UNET)}
    return without(tensors, UNET) | {
        "model_ema." + name.removeprefix("model.").replace(".", ""): tensor for name, tensor in smoothed.items()
    }


def with_to_q(tensors):
    names = {"q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
    pattern = re.compile(r"(first_stage_model\..*attn_1)\.(q|k|v|proj_out)\.")
    return {pattern.sub(lambda found: f"{found[1]}.{names[found[2]]}.", name): it for name, it in tensors.items()}


def inpainting(tensors):
    name = f"{UNET}input_blocks.0.0.weight"
    wide = torch.zeros(tensors[name].shape[0], 9, 3, 3)
    return tensors | {name: wide}


KINDS = {
    "plain": lambda tensors: tensors,
    "v_pred": lambda tensors: tensors | {"v_pred": torch.tensor([])},
    "novae": lambda tensors: without(tensors, VAE),
    "vae": lambda tensors: {name.removeprefix(VAE): it for name, it in tensors.items() if name.startswith(VAE)},
    "to_q": with_to_q,
    "ema_only": ema_only,
    "inpaint": inpainting,
}


async def open_jobs(server):
    """Return the ids of the jobs that wait or are painted."""
    return {job.id for job in await server.jobs.with_status(*OPEN)}


async def what_is_painted(server, before=frozenset()):
    """Return what the newest job that was not there before would paint."""
    jobs = [job for job in await server.jobs.with_status(*OPEN) if job.id not in before]
    if not jobs:
        return "PAINTS nothing"
    asked = jobs[-1].request
    settings = f"{asked.steps} {asked.sampler} {asked.cfg_scale:g} {asked.seed} {asked.width}x{asked.height}"
    fix = f" {asked.hires.upscaler}" if asked.hires else ""
    return f"PAINTS {asked.prompt!r} {asked.negative_prompt!r} {settings} {asked.checkpoint}{fix}"
