"""Train the UNet on the frozen text encoder and whitened latents; unet.pt is the state, with averaged weights.

The loss weighs noisy steps up, because colours are decided there. From the middle on a share of the batches is twice as
large, at the noise of a hires pass, and some are portrait or landscape.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from training.captions import Caption, Condition, Vocabulary, compose
from training.gossip import Gossip
from training.latents import whiten
from training.text import HIDDEN, hidden
from training.text import load as load_text
from training.unet_start import start_as_identity
from training.workspace import Clock, Workspace, arguments, flat_then_cosine

CONFIG = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (64, 128, 128),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": HIDDEN,
    "attention_head_dim": 4,
    "norm_num_groups": 16,
}
RATE, BATCH, STEPS = 1.3e-3, 32, 1000
EXCHANGE_EVERY, AVERAGING = 8, 0.99
FULL_PRECISION_FROM = 0.85
HIRES_FROM, HIRES_SHARE, HIRES_TOP = 0.45, 0.12, 0.76
"""Training share from which, and batches in which, the latents are twice as large; their noisiest step over 1000."""
OTHER_RATIOS_FROM, OTHER_RATIOS_SHARE = 0.2, 0.10
SPOILT_SHARE = 1 / 12


def build() -> UNet2DConditionModel:
    """Return a fresh UNet that starts as epsilon = x_t."""
    unet = UNet2DConditionModel(**CONFIG)
    start_as_identity(unet)
    return unet


def alphas() -> Tensor:
    """Return the cumulative alpha of SD's scaled linear schedule [1000]."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS) ** 2
    return torch.cumprod(1 - betas, 0)


def loss_weights() -> Tensor:
    """Return the weight of each step's epsilon loss: the losses of epsilon and of the clean latents together."""
    snr = alphas() / (1 - alphas())
    return (1 + 1 / snr).clamp(max=120)


@dataclass(frozen=True)
class Pool:
    """Latents of one shape [n, 4, h, w] with the tags and the condition of each; the last ones are spoilt."""

    latents: Tensor
    tags: list[list[str]]
    conditions: list[Condition]
    clean: int

    @classmethod
    def read(cls, work: Workspace, names: tuple[str, ...]) -> Pool:
        """Read the encoded picture sets `names`."""
        white = dict(np.load(work.path("whitening.npz")))
        labels = {name: work.labels(name) for name in names}
        spoilt = {name: json.loads(work.path(f"{name}_spoilt.json").read_text()) for name in names}
        whole = {name: np.load(work.path(f"{name}_latents.npy")) for name in names}
        parts = [*whole.values(), *(np.load(work.path(f"{name}_spoilt.npy")) for name in names)]
        sources = [label for name in names for label in labels[name][: len(whole[name])]]
        copies = [labels[name][i] for name in names for i in spoilt[name]]
        conditions = [Condition.DISTORTED if label["bad"] else Condition.CLEAN for label in sources]
        tags = [label["tags"] for label in (*sources, *copies)]
        return cls(
            whiten(np.concatenate(parts), white), tags, conditions + [Condition.DEGRADED] * len(copies), len(sources)
        )

    def choose(self, count: int, rng: np.random.Generator) -> list[int]:
        """Return indices of `count` latents, a twelfth of them spoilt."""
        spoilt = rng.binomial(count, SPOILT_SHARE)
        clean = rng.integers(0, self.clean, count - spoilt)
        return [*clean.tolist(), *rng.integers(self.clean, len(self.tags), spoilt).tolist()]


@dataclass(frozen=True)
class Options:
    """How long to train, and the place among the processes that train together."""

    seconds: float
    seed: int = 0
    rank: int = 0
    world: int = 1
    batch: int = BATCH


class Conditioner:
    """Turn captions into conditioning, with webui's emphasis."""

    def __init__(self, work: Workspace, rng: random.Random) -> None:
        labels = [label for name in ("a", "b") for label in work.labels(name)]
        self.vocabulary = Vocabulary.of(work.path("tokenizer"), labels)
        self.encoder, used = load_text(work)
        if used != self.vocabulary.used:
            raise ValueError("the text encoder was trained with other tags")
        self.rng = rng

    def captions(self, pool: Pool, chosen: list[int]) -> list[Caption]:
        """Compose and encode a caption for each chosen picture."""
        said = (compose(pool.tags[i], pool.conditions[i], self.rng) for i in chosen)
        return [self.vocabulary.encode(words, self.rng) for words in said]

    @torch.no_grad()
    def states(self, captions: list[Caption]) -> Tensor:
        """Return the conditioning [n, 77, hidden], mostly for clip skip 2."""
        rows = torch.tensor([caption.rows for caption in captions])
        states = hidden(self.encoder, rows, 2 if self.rng.random() < 0.75 else 1)
        weighted = states * torch.tensor([caption.weights for caption in captions])[:, :, None]
        return weighted * (states.mean((1, 2)) / weighted.mean((1, 2)))[:, None, None]


class Batches:
    """Choose what each step trains on, by training progress."""

    def __init__(self, work: Workspace, conditioner: Conditioner, rng: np.random.Generator) -> None:
        self.work, self.conditioner, self.rng = work, conditioner, rng
        self.native = Pool.read(work, ("a", "b"))
        self._others: list[Pool] = []
        self._hires: Pool | None = None

    def pool(self, share: float) -> tuple[Pool, float, float]:
        """Return a pool, the share of a full batch, and the noisiest step over 1000."""
        if share > HIRES_FROM and self.rng.random() < HIRES_SHARE and (hires := self.hires()):
            return hires, 0.25, HIRES_TOP
        if share > OTHER_RATIOS_FROM and self.rng.random() < OTHER_RATIOS_SHARE:
            self._others = self._others or [Pool.read(self.work, (name,)) for name in ("p", "l")]
            return self._others[int(self.rng.integers(2))], 0.6, 1.0
        return self.native, 1.0, 1.0

    def hires(self) -> Pool | None:
        """Return the twice as large latents, once they are encoded."""
        if self._hires is None and self.work.path("h_spoilt.json").exists():
            self._hires = Pool.read(self.work, ("h",))
        return self._hires

    def draw(self, share: float, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return latents, steps spread evenly over the noise levels, and conditioning."""
        pool, part, top = self.pool(share)
        count = max(4, int(batch * part))
        chosen = pool.choose(count, self.rng)
        spread = (torch.rand(count) + torch.arange(count)) / count * STEPS * top
        states = self.conditioner.states(self.conditioner.captions(pool, chosen))
        return pool.latents[chosen], spread.long()[torch.randperm(count)], states


def _latest(work: Workspace, file: str) -> dict | None:
    """Return this process's state, or that of the first process for one that joins late."""
    for name in (file, "unet.pt"):
        if work.path(name).exists():
            state: dict = torch.load(work.path(name), weights_only=True)
            if name != file:
                state["used"] += time.time() - work.path(name).stat().st_mtime
            return state
    return None


def train(work: Workspace, options: Options) -> None:
    """Train for `seconds` in all, resuming what an earlier call left."""
    torch.manual_seed(options.seed)
    unet = build().to(memory_format=torch.channels_last)
    # Plain attention: with so few channels its backward pass is far quicker here than the fused kernel's.
    unet.set_attn_processor(AttnProcessor())
    seed = options.seed + options.rank + int(time.time())
    torch.manual_seed(seed)
    batches = Batches(work, Conditioner(work, random.Random(seed)), np.random.default_rng(seed))
    parameters = list(unet.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    file = f"unet{options.rank or ''}.pt"
    average, used, seen = [p.data.clone() for p in parameters], 0.0, 0
    if state := _latest(work, file):
        unet.load_state_dict(state["unet"])
        optimizer.load_state_dict(state["optimizer"])
        average, used, seen = state["average"], state["used"], state["seen"]
    gossip = Gossip(work.folder, "unet", parameters, rank=options.rank, world=options.world)
    clock = Clock(options.seconds, used)
    saved, losses = time.monotonic(), []

    def save() -> None:
        state = {"unet": unet.state_dict(), "optimizer": optimizer.state_dict(), "average": average}
        work.save(file, {**state, "used": clock.used, "seen": seen})

    for step, (loss, noisy_loss, count) in enumerate(_steps(unet, batches, optimizer, clock, options), 1):
        seen += count
        losses.append((loss, noisy_loss))
        if step % EXCHANGE_EVERY == 0:
            heard = gossip.exchange()
            for mean, parameter in zip(average, parameters, strict=True):
                mean.lerp_(
                    parameter.data, 1 - min(AVERAGING, (1 + step / 8) / (8 + step / 8) if seen < 20000 else AVERAGING)
                )
        if step % 80 == 0:
            means = np.nanmean(losses[-80:], 0)
            print(f"{clock.used:.0f}s step {step} seen {seen} x{heard + 1} loss, noisy {means.round(4)}", flush=True)
        if time.monotonic() - saved > 60:
            saved = time.monotonic()
            save()
    save()


def _steps(
    unet: UNet2DConditionModel, batches: Batches, optimizer: torch.optim.Optimizer, clock: Clock, options: Options
) -> Iterator[tuple[float, float, int]]:
    """Take optimizer steps until the time is up, yielding weighted loss, that of noisy steps and batch size."""
    cumulative, weights, step = alphas(), loss_weights(), 0
    while clock.share < 1:
        step += 1
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, step / 60) * flat_then_cosine(clock.share, 0.35)
        latents, times, states = batches.draw(clock.share, options.batch)
        alpha, noise = cumulative[times][:, None, None, None], torch.randn_like(latents)
        noised = (alpha.sqrt() * latents + (1 - alpha).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=clock.share < FULL_PRECISION_FROM):
            predicted = unet(noised, times, states).sample
        errors = (predicted.float() - noise).square().mean((1, 2, 3)) * weights[times]
        optimizer.zero_grad(set_to_none=True)
        errors.mean().backward()
        errors = errors.detach()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        yield float(errors.mean()), float(errors[times >= 600].mean()), len(latents)


def main() -> None:
    """Run the step from the command line."""
    parser = arguments(__doc__, seconds=4000)
    parser.add_argument("--batch", type=int, default=BATCH)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(Workspace(given.work), Options(given.seconds, given.seed, given.rank, given.world, given.batch))


if __name__ == "__main__":
    main()
