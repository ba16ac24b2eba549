"""Train the VAE: eight-fold smaller latents, four channels, started as an identity path.

``python -m training.vae --work DIR`` trains encoder and decoder together (file vae.pt);
``--decoder`` then refines the decoder alone (vae_decoder.pt) while the UNet already trains on the fixed latents.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from training.vae_start import start_as_identity
from training.weight_averaging import WeightAveraging
from training.workspace import Clock, Pixels, Workspace, arguments, flat_then_cosine

State = dict[str, Any]  # what torch.save keeps: tensors by name, and numbers
CONFIG = {
    "block_out_channels": (16, 32, 96, 96),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 1,
    "mid_block_add_attention": False,
    "sample_size": 128,
}
RATE = 1.5e-3
FULL_PRECISION_FROM = 0.75
# Shares of the square view that hold eyes and mouth (top, bottom, left, right): they decide how good a face looks.
EYES, MOUTH = (0.36, 0.62, 0.36, 0.80), (0.65, 0.76, 0.50, 0.74)


def build() -> AutoencoderKL:
    """Return an untrained VAE."""
    return AutoencoderKL(**CONFIG)


def face_weights(side: int) -> Tensor:
    """Return loss weights [1, side, side] that favour eyes and mouth."""
    weights = torch.ones(1, side, side)
    for (top, bottom, left, right), weight in ((EYES, 2.5), (MOUTH, 2.0)):
        rows, columns = slice(int(top * side), int(bottom * side)), slice(int(left * side), int(right * side))
        weights[:, rows, columns] = weight
    return weights


@dataclass(frozen=True, kw_only=True)
class Options:
    """How long to train, what, and the place among the processes that train together."""

    seconds: float
    seed: int = 0
    decoder_only: bool = False
    rank: int = 0
    world: int = 1


@dataclass
class Crops:
    """Draw crops, mostly around the face, with their loss weights."""

    sets: list[Pixels]
    shares: list[float]
    rng: np.random.Generator

    def draw(self, count: int, size: int) -> tuple[Tensor, Tensor]:
        """Return pictures [count, 3, size, size] in -1..1 and weights [count, 1, size, size]."""
        pictures, weights = zip(*(self._one(size) for _ in range(count)), strict=True)
        batch = torch.stack(pictures).float().div_(127.5).sub_(1)
        return self._degrade(batch), torch.stack(weights)

    def _one(self, size: int) -> tuple[Tensor, Tensor]:
        pictures = self.sets[int(self.rng.choice(len(self.sets), p=self.shares))]
        if pictures.shape[1] < size:
            return self._one(size)
        side = pictures.shape[1]
        top, left = self._corner(side, size)
        picture = torch.from_numpy(
            np.array(pictures[self.rng.integers(len(pictures)), top : top + size, left : left + size])
        )
        return picture.permute(2, 0, 1), face_weights(side)[:, top : top + size, left : left + size]

    def _corner(self, side: int, size: int) -> tuple[int, int]:
        if side == size:
            return 0, 0
        if self.rng.random() < 0.65:
            middle = self.rng.normal((0.52 * side, 0.56 * side), 0.14 * side) - size / 2
            return int(np.clip(middle[0], 0, side - size)), int(np.clip(middle[1], 0, side - size))
        top, left = self.rng.integers(0, side - size + 1, 2)
        return int(top), int(left)

    def _degrade(self, batch: Tensor) -> Tensor:
        """Blur one batch in ten: degraded pictures must survive the VAE too."""
        if self.rng.random() > 0.1:
            return batch
        small = functional.interpolate(batch, scale_factor=0.4, mode="bilinear", antialias=True)
        blurred = functional.interpolate(small, size=batch.shape[2:], mode="bilinear")
        return (blurred + 0.08 * torch.randn_like(batch) * float(self.rng.random() < 0.5)).clamp(-1, 1)


def edges(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return horizontal and vertical differences of neighbours."""
    return picture[..., 1:] - picture[..., :-1], picture[..., 1:, :] - picture[..., :-1, :]


def edge_strength(picture: Tensor) -> Tensor:
    """Return a map [n, 1, h, w] of how near a line each pixel is, 0 to 1."""
    across, down = (part.abs().mean(1, keepdim=True) for part in edges(picture))
    return functional.max_pool2d(functional.pad(across, (0, 1)) + functional.pad(down, (0, 0, 0, 1)), 5, 1, 2).clamp(
        max=1
    )


def reconstruction_loss(output: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return L1 plus gradient loss, heavier on faces and along lines, plus a loss of the coarse colours."""
    weight = weights * (1 + 2 * edge_strength(target))
    loss = ((output - target).abs() * weight).mean()
    for wanted, found, cut in zip(edges(target), edges(output), (weights[..., 1:], weights[..., 1:, :]), strict=True):
        loss = loss + ((wanted - found).abs() * cut).mean()
    return loss + 2 * functional.mse_loss(functional.avg_pool2d(output, 4), functional.avg_pool2d(target, 4))


def encode(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the latents, before any scaling."""
    latents: Tensor = vae.encode(pictures).latent_dist.mode()
    return latents


def noisy(latents: Tensor, share: float) -> Tensor:
    """Add noise of `share` standard deviations, so that the decoder forgives the UNet's errors."""
    return latents + share * latents.detach().std() * torch.randn_like(latents)


def _rate(share: float, *, decoder_only: bool) -> float:
    """Return the learning rate by training progress: the decoder alone starts from an annealed state."""
    if decoder_only:
        return 0.4 * RATE * flat_then_cosine(share, 0.0, 0.03)
    return RATE * flat_then_cosine(share, 0.5, 0.03)


def like_the_unet(latents: Tensor, inverse: Tensor) -> Tensor:
    """Add noise as the UNet's errors are: white before the whitening is undone, of a different strength each."""
    noise = torch.einsum("oc,nchw->nohw", inverse, torch.randn_like(latents, dtype=torch.float32))
    return latents + 0.2 * torch.rand(len(latents), 1, 1, 1) * noise


def sizes(share: float, rng: np.random.Generator, *, decoder_only: bool) -> tuple[int, int]:
    """Return (batch, crop side) by training progress: small crops first, at last whole pictures."""
    if share < (0.3 if decoder_only else 0.8):
        return 12, 64
    return (1, 256) if decoder_only and rng.random() < 0.2 else (4, 128)


def train(work: Workspace, options: Options) -> AutoencoderKL:
    """Train for `seconds` in all, resuming what an earlier call left."""
    torch.manual_seed(options.seed)
    crops = Crops([work.pictures("a"), work.pictures("h")], [0.7, 0.3], np.random.default_rng())
    name = "vae_decoder" if options.decoder_only else "vae"
    file = f"{name}{options.rank or ''}.pt"
    vae, state = _restore(work, file, crops, decoder_only=options.decoder_only)
    torch.manual_seed(int(crops.rng.integers(1 << 31)))
    parameters = [p for p in vae.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    if state.get("optimizer"):
        optimizer.load_state_dict(state["optimizer"])
    averaging = WeightAveraging(work.folder, name, parameters, rank=options.rank, world=options.world)
    clock = Clock(options.seconds, state.get("used", 0.0))
    inverse = torch.from_numpy(np.load(work.path("whitening.npz"))["inverse"]) if options.decoder_only else None
    saved, losses = time.monotonic(), []
    for step, loss in enumerate(_steps(vae, crops, optimizer, clock, inverse), 1):
        losses.append(loss)
        if step % 10 == 0:
            averaging.exchange()
        if step % 100 == 0:
            print(f"{clock.used:.0f}s step {step} l1 {np.mean(losses[-100:]) * 127.5:.2f}/255", flush=True)
        if time.monotonic() - saved > 45:
            saved = time.monotonic()
            work.save(file, {"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "used": clock.used})
    averaging.exchange()
    work.save(file, {"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "used": clock.used})
    return vae


def _restore(work: Workspace, file: str, crops: Crops, *, decoder_only: bool) -> tuple[AutoencoderKL, State]:
    vae = build()
    state: State = {}
    source = file if work.path(file).exists() else "vae.pt"
    if work.path(source).exists():
        loaded = torch.load(work.path(source), weights_only=True)
        vae.load_state_dict(loaded["vae"])
        state = loaded if source == file else {}
    else:
        start_as_identity(vae, crops.draw(16, 128)[0])
    if decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    return vae.to(memory_format=torch.channels_last), state


def _reconstruct(vae: AutoencoderKL, pictures: Tensor, inverse: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return latents and the picture decoded from them with a little noise; `inverse` means the decoder alone."""
    if inverse is None:
        latents = encode(vae, pictures)
        return latents, vae.decode(noisy(latents, 0.08)).sample
    with torch.no_grad():
        latents = encode(vae, pictures)
    return latents, vae.decode(like_the_unet(latents, inverse)).sample


def _steps(
    vae: AutoencoderKL,
    crops: Crops,
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    inverse: Tensor | None,
) -> Iterator[float]:
    """Take optimizer steps until the time is up, yielding the plain L1 of each."""
    step = 0
    while clock.share < 1:
        step += 1
        rate = min(1.0, step / 40) * _rate(clock.share, decoder_only=inverse is not None)
        for group in optimizer.param_groups:
            group["lr"] = rate
        pictures, weights = crops.draw(*sizes(clock.share, crops.rng, decoder_only=inverse is not None))
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=clock.share < FULL_PRECISION_FROM):
            latents, output = _reconstruct(vae, pictures, inverse)
        output = output.float()
        loss = reconstruction_loss(output, pictures, weights) + 1e-4 * latents.float().square().mean()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        yield float((output.detach() - pictures).abs().mean())


def main() -> None:
    """Run the step from the command line."""
    parser = arguments(__doc__, seconds=1100)
    parser.add_argument("--decoder", action="store_true", help="refine the decoder alone")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(
        Workspace(given.work),
        Options(seconds=given.seconds, seed=given.seed, decoder_only=given.decoder, rank=given.rank, world=given.world),
    )


if __name__ == "__main__":
    main()
