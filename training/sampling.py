"""Paint with a diffusers folder as webui does: DPM++ 2M Karras, CFG, clip skip, emphasis and hires fix.

Kept apart from the bot's engine on purpose: two readings of the same files that agree are better evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from training.text import emphasise, hidden
from training.unet import alphas
from training.workspace import Pixels

POSITIVE = "masterpiece, best quality, "
NEGATIVE = "lowres, bad anatomy, worst quality, low quality, jpeg artifacts, blurry"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to sample."""

    cfg: float = 7.0
    steps: int = 20
    clip_skip: int = 2
    width: int = 128
    height: int = 128
    negative: str = NEGATIVE
    hires_strength: float = 0.6


def karras_sigmas(steps: int) -> list[float]:
    """Return noise levels from the model's largest to its smallest, rho 7, then 0 (Karras et al. 2022, eq. 5)."""
    table = ((1 - alphas()) / alphas()).sqrt()
    low, high = float(table[0]) ** (1 / 7), float(table[-1]) ** (1 / 7)
    return [(high + i / (steps - 1) * (low - high)) ** 7 for i in range(steps)] + [0.0]


def split_emphasis(prompt: str) -> list[tuple[str, float]]:
    """Return (text, weight) pieces of a prompt with ``(word:1.2)`` parts."""
    pieces = re.split(r"\(([^():]+):([\d.]+)\)", prompt)
    plain = [(text, 1.0) for text in pieces[::3]]
    weighted = [(text, float(weight)) for text, weight in zip(pieces[1::3], pieces[2::3], strict=True)]
    return [piece for pair in zip(plain, [*weighted, ("", 1.0)], strict=True) for piece in pair if piece[0]]


class Painter:
    """A loaded diffusers folder."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.text = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32).eval()
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).eval()
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32).eval()
        for part in (self.unet, self.vae):
            part.to(memory_format=torch.channels_last)
        self._log_sigmas = ((1 - alphas()) / alphas()).sqrt().log().numpy()

    @torch.no_grad()
    def conditioning(self, prompts: Sequence[str], clip_skip: int) -> Tensor:
        """Return [n, 77, hidden]."""
        rows, weights = zip(*(self._tokens(prompt) for prompt in prompts), strict=True)
        return emphasise(hidden(self.text, torch.tensor(rows), clip_skip), torch.tensor(weights))

    def _tokens(self, prompt: str) -> tuple[list[int], list[float]]:
        tokens, weights = [49406], [1.0]
        for text, weight in split_emphasis(prompt):
            new = self.tokenizer(text, add_special_tokens=False).input_ids
            tokens += new
            weights += [weight] * len(new)
        padding = 77 - min(76, len(tokens))
        return tokens[:76] + [49407] * padding, weights[:76] + [1.0] * padding

    def _denoised(self, x: Tensor, sigma: float, conditioning: Tensor, cfg: float) -> Tensor:
        """Return the clean latents at noise level `sigma`; `conditioning` holds the negative rows first."""
        time = float(np.interp(np.log(sigma), self._log_sigmas, np.arange(1000.0)))
        scaled = torch.cat([x, x]) / (1 + sigma**2) ** 0.5
        noise: Tensor = self.unet(scaled.contiguous(memory_format=torch.channels_last), time, conditioning).sample
        negative, positive = noise.chunk(2)
        return x - sigma * (negative + cfg * (positive - negative))

    def _sample(self, x: Tensor, sigmas: Sequence[float], conditioning: Tensor, cfg: float) -> Tensor:
        """Run DPM++ 2M (Lu et al. 2022, algorithm 2) over `sigmas`, which end in 0."""
        previous: Tensor | None = None
        for i in range(len(sigmas) - 1):
            sigma, following = sigmas[i], sigmas[i + 1]
            denoised = self._denoised(x, sigma, conditioning, cfg)
            if following == 0:
                return denoised
            h = float(np.log(sigma / following))
            direction = denoised
            if previous is not None:
                r = float(np.log(sigmas[i - 1] / sigma)) / h
                direction = (1 + 1 / (2 * r)) * denoised - 1 / (2 * r) * previous
            x = following / sigma * x - float(np.expm1(-h)) * direction
            previous = denoised
        return x

    def decode(self, latents: Tensor) -> Pixels:
        """Return uint8 pictures [n, h, w, 3]."""
        scaled = (latents / self.vae.config.scaling_factor).contiguous(memory_format=torch.channels_last)
        pictures = torch.cat([self.vae.decode(part).sample for part in torch.split(scaled, 4)])
        pixels: Pixels = ((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        return pixels

    @torch.no_grad()
    def latents(self, prompts: Sequence[str], seeds: Sequence[int], settings: Settings) -> Tensor:
        """Paint `prompts` at native size, one seed each."""
        shape = (1, 4, settings.height // 8, settings.width // 8)
        noise = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        sigmas = karras_sigmas(settings.steps)
        negative = self.conditioning([settings.negative] * len(prompts), settings.clip_skip)
        both = torch.cat([negative, self.conditioning(prompts, settings.clip_skip)])
        return self._sample(noise * (1 + sigmas[0] ** 2) ** 0.5, sigmas, both, settings.cfg)

    @torch.no_grad()
    def hires(self, latents: Tensor, prompts: Sequence[str], seeds: Sequence[int], settings: Settings) -> Tensor:
        """Enlarge latents two-fold and repaint them: `steps` calls at the end of a longer schedule, as webui counts."""
        large = functional.interpolate(latents, scale_factor=2, mode="bilinear")
        shape = (1, *large.shape[1:])
        noise = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        sigmas = karras_sigmas(int(settings.steps / settings.hires_strength))[-settings.steps - 1 :]
        negative = self.conditioning([settings.negative] * len(prompts), settings.clip_skip)
        both = torch.cat([negative, self.conditioning(prompts, settings.clip_skip)])
        return self._sample(large + sigmas[0] * noise, sigmas, both, settings.cfg)

    def paint(self, prompts: Sequence[str], seeds: Sequence[int], settings: Settings, batch: int = 16) -> Pixels:
        """Return native pictures."""
        with torch.no_grad():
            return np.concatenate(
                [
                    self.decode(self.latents(prompts[i : i + batch], seeds[i : i + batch], settings))
                    for i in range(0, len(prompts), batch)
                ]
            )

    def paint_hires(self, prompts: Sequence[str], seeds: Sequence[int], settings: Settings, batch: int = 4) -> Pixels:
        """Return pictures of twice the native size."""
        parts = []
        with torch.no_grad():
            for i in range(0, len(prompts), batch):
                some, own = prompts[i : i + batch], seeds[i : i + batch]
                parts.append(self.decode(self.hires(self.latents(some, own, settings), some, own, settings)))
        return np.concatenate(parts)
