"""Encode all pictures with the trained VAE, clean ones and spoilt ones.

Writes NAME_latents.npy (float16 [n, 4, h/8, w/8], unscaled) and, for some pictures, NAME_spoilt.npy with the indices of
their originals in NAME_spoilt.json; NAME_small.npy holds the hires sets' latents at half size;
whitening.npz holds the mean and the matrices that make the latents white.
"""

from __future__ import annotations

import io
import json

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.vae import build, encode
from training.workspace import Pixels, Workspace, arguments

SPOILT = {"a": 1500, "b": 1500, "p": 250, "l": 250, "h": 500, "hp": 60, "hl": 60}
AT_MOST = {"h": 3000}
HIRES = ("h", "hp", "hl")
Floats = NDArray[np.float32]


def load_vae(work: Workspace, name: str = "vae.pt") -> AutoencoderKL:
    """Return the trained VAE for inference."""
    vae = build()
    vae.load_state_dict(torch.load(work.path(name), weights_only=True)["vae"])
    return vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def encode_all(vae: AutoencoderKL, pictures: Pixels) -> NDArray[np.float16]:
    """Return the latents of uint8 pictures [n, h, w, 3]."""
    size = max(1, 8 * 128 * 128 // (pictures.shape[1] * pictures.shape[2]))
    parts = []
    for start in range(0, len(pictures), size):
        batch = torch.from_numpy(np.array(pictures[start : start + size])).permute(0, 3, 1, 2).float() / 127.5 - 1
        parts.append(encode(vae, batch.contiguous(memory_format=torch.channels_last)).half().numpy())
    return np.concatenate(parts)


def spoil(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a copy as a bad scan or a bad upload would look: small, blurred, blocky or noisy."""
    image = Image.fromarray(picture)
    width, height = image.size
    if rng.random() < 0.75:
        scale = rng.integers(24, 52) / 128
        image = image.resize((int(width * scale), int(height * scale)), Image.Resampling.BILINEAR)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    else:
        image = image.filter(ImageFilter.GaussianBlur(2.2 * min(width, height) / 128))
    if rng.random() < 0.6:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(4, 16)))
        image = Image.open(buffer)
    noise = rng.normal(0, 18, picture.shape) if rng.random() < 0.4 else 0.0
    return (np.asarray(image).astype(np.float32) + noise).clip(0, 255).astype(np.uint8)


def whitening(latents: NDArray[np.float16]) -> dict[str, Floats]:
    """Return mean [4], the ZCA matrix [4, 4] that makes `latents` white, and its inverse."""
    flat = latents.astype(np.float64).transpose(0, 2, 3, 1).reshape(-1, latents.shape[1])
    values, vectors = np.linalg.eigh(np.cov(flat.T))
    matrix = (vectors / np.sqrt(values)) @ vectors.T
    result = {"mean": flat.mean(0), "matrix": matrix, "inverse": np.linalg.inv(matrix)}
    return {name: value.astype(np.float32) for name, value in result.items()}


def whiten(latents: NDArray[np.float16], white: dict[str, Floats]) -> torch.Tensor:
    """Return the latents as the UNet sees them."""
    centred = latents.astype(np.float32) - white["mean"][None, :, None, None]
    return torch.from_numpy(np.einsum("oc,nchw->nohw", white["matrix"], centred).astype(np.float32))


def halve(pictures: Pixels) -> Pixels:
    """Return pictures [n, h, w, 3] at half their size, as the first pass would paint them."""
    n, height, width, _ = pictures.shape
    blocks = np.asarray(pictures).reshape(n, height // 2, 2, width // 2, 2, 3)
    halved: Pixels = blocks.mean((2, 4)).round().astype(np.uint8)
    return halved


def run(work: Workspace, name: str, seed: int) -> None:
    """Encode picture set `name`, or the first AT_MOST of it, and its share of spoilt pictures."""
    vae, pictures = load_vae(work), work.pictures(name)[: AT_MOST.get(name)]
    latents = encode_all(vae, pictures)
    np.save(work.path(f"{name}_latents.npy"), latents)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(pictures), min(SPOILT[name], len(pictures)), replace=False)
    spoilt = np.stack([spoil(pictures[i], rng) for i in chosen])
    np.save(work.path(f"{name}_spoilt.npy"), encode_all(vae, spoilt))
    work.path(f"{name}_spoilt.json").write_text(json.dumps(chosen.tolist()))
    if name in HIRES:
        np.save(work.path(f"{name}_small.npy"), encode_all(vae, halve(pictures)))
    if name == "a":
        np.savez(work.path("whitening.npz"), allow_pickle=False, **whitening(latents))
    print(name, latents.shape, "standard deviation", latents.astype(np.float32).std((0, 2, 3)), flush=True)


def main() -> None:
    """Run the step from the command line."""
    parser = arguments(__doc__)
    parser.add_argument("sets", nargs="*", default=list(SPOILT), help="picture sets to encode")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for name in given.sets:
        run(Workspace(given.work), name, given.seed)


if __name__ == "__main__":
    main()
