"""Train the UNet on the frozen text encoder and whitened latents; unet.pt is the state.

The loss weighs noisy steps up, because colours are decided there. From the middle on a share of the batches is twice as
large, at the noise of a hires pass, and some are portrait or landscape.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from torch.nn import functional

from training.captions import Caption, Condition, Vocabulary, compose
from training.latents import HIRES, whiten
from training.text import HIDDEN, emphasise, hidden
from training.text import load as load_text
from training.unet_start import start_as_identity
from training.vae import face_weights
from training.weight_averaging import WeightAveraging
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
HIRES_FROM, HIRES_SHARE, HIRES_TOP = 0.45, 0.40, 0.68
"""Training share from which, and batches in which, the latents are twice as large; their noisiest step over 1000."""
HIRES_STARTS, HIRES_ROUGH_SHARE = (1.6, 3.0), 0.6
"""Noise levels where a hires pass may start, and how many lessons show the enlarged first pass under the noise."""
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


def place_weights(height: int, width: int) -> Tensor:
    """Return the weight of each place in latents of one aspect ratio, 1 on average."""
    weights = torch.ones(1, height, width)
    if height == width:
        weights = face_weights(height)
    return weights / weights.mean()


@dataclass(frozen=True)
class Pool:
    """Latents of one shape [n, 4, h, w] with the tags and the condition of each; the last ones are spoilt.

    `weights` [1, h, w] weighs their loss: eyes are small, and their colour would be learnt last. `rough` are the same
    pictures as an enlarged first pass shows them, for the hires pass.
    """

    latents: Tensor
    tags: list[list[str]]
    conditions: list[Condition]
    clean: int
    weights: Tensor
    rough: Tensor | None = None

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
        conditions += [Condition.DEGRADED] * len(copies)
        latents = whiten(np.concatenate(parts), white)
        weights = place_weights(latents.shape[2], latents.shape[3])
        if names[0] not in HIRES:
            return cls(latents, tags, conditions, len(sources), weights)
        small = whiten(np.load(work.path(f"{names[0]}_small.npy")), white)
        rough = functional.interpolate(small, scale_factor=2, mode="bilinear")
        return cls(latents, tags, conditions, len(sources), weights, torch.cat([rough, latents[len(sources) :]]))

    def choose(self, count: int, rng: np.random.Generator) -> list[int]:
        """Return indices of `count` latents, a twelfth of them spoilt."""
        spoilt = rng.binomial(count, SPOILT_SHARE)
        clean = rng.integers(0, self.clean, count - spoilt)
        return [*clean.tolist(), *rng.integers(self.clean, len(self.tags), spoilt).tolist()]


@dataclass(frozen=True)
class Lesson:
    """What one step learns: to find `latents` under noise added to what is `shown`, which is nearly always the same."""

    latents: Tensor
    shown: Tensor
    places: Tensor
    times: Tensor
    states: Tensor


@dataclass(frozen=True)
class Options:
    """How long to train, and the place among the processes that train together."""

    seconds: float
    seed: int = 0
    rank: int = 0
    world: int = 1
    batch: int = BATCH
    refine: bool = False

    @property
    def name(self) -> str:
        """Return the name of the states: a second round keeps the first one's result."""
        return "unet_refined" if self.refine else "unet"

    def rate(self, share: float) -> float:
        """Return the learning rate by training progress; a second round starts lower and falls at once."""
        return 0.35 * RATE * flat_then_cosine(share, 0.1) if self.refine else RATE * flat_then_cosine(share, 0.35)

    def progress(self, share: float) -> float:
        """Return how far the choice of lessons has come: in a second round all kinds are open."""
        return 1.0 if self.refine else share


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
        return emphasise(states, torch.tensor([caption.weights for caption in captions]))


class Batches:
    """Choose what each step trains on, by training progress."""

    def __init__(self, work: Workspace, conditioner: Conditioner, rng: np.random.Generator) -> None:
        self.work, self.conditioner, self.rng = work, conditioner, rng
        self.native = Pool.read(work, ("a", "b"))
        self._others: list[Pool] = []
        self._hires: list[Pool] = []

    def pool(self, share: float) -> tuple[Pool, float, float]:
        """Return a pool, the share of a full batch, and the noisiest step over 1000."""
        if share > HIRES_FROM and self.rng.random() < HIRES_SHARE:
            # Once the square ones are known, the other ratios deserve most of the lessons.
            kind = int(self.rng.choice(3, p=(0.4, 0.3, 0.3)))
            return self.hires()[kind], 0.25 if kind == 0 else 0.16, HIRES_TOP
        if share > OTHER_RATIOS_FROM and self.rng.random() < OTHER_RATIOS_SHARE:
            self._others = self._others or [Pool.read(self.work, (name,)) for name in ("p", "l")]
            return self._others[int(self.rng.integers(2))], 0.6, 1.0
        return self.native, 1.0, 1.0

    def hires(self) -> list[Pool]:
        """Return the twice as large latents of each aspect ratio."""
        self._hires = self._hires or [Pool.read(self.work, (name,)) for name in HIRES]
        return self._hires

    def draw(self, share: float, batch: int) -> Lesson:
        """Return latents of one pool with steps spread evenly over its noise levels."""
        pool, part, top = self.pool(share)
        count = max(4, int(batch * part))
        chosen = pool.choose(count, self.rng)
        spread = (torch.rand(count) + torch.arange(count)) / count * STEPS * top
        times = spread.long()[torch.randperm(count)]
        states = self.conditioner.states(self.conditioner.captions(pool, chosen))
        latents = pool.latents[chosen]
        shown = latents if pool.rough is None else self._half_repainted(latents, pool.rough[chosen], times)
        return Lesson(latents, shown, pool.weights, times, states)

    def _half_repainted(self, latents: Tensor, rough: Tensor, times: Tensor) -> Tensor:
        """Return what a hires pass works on: less and less of the enlarged first pass as the noise falls."""
        sigmas = ((1 - alphas()) / alphas()).sqrt()[times]
        starts = torch.empty_like(sigmas).uniform_(*HIRES_STARTS)
        left = (sigmas / starts).clamp(max=1) * (torch.rand_like(sigmas) < HIRES_ROUGH_SHARE)
        return torch.lerp(latents, rough, left[:, None, None, None])


class Trainer:
    """A UNet in training with its optimizer and running average; saves every minute, resumes, and may join late."""

    def __init__(self, work: Workspace, options: Options) -> None:
        self.work, self.options, self.seen = work, options, 0
        torch.manual_seed(options.seed)
        self.unet = build().to(memory_format=torch.channels_last)
        # Plain attention: with so few channels its backward pass is far quicker here than the fused kernel's.
        self.unet.set_attn_processor(AttnProcessor())
        self.parameters: list[nn.Parameter] = list(self.unet.parameters())
        self.average = [p.data.clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
        self.clock = Clock(options.seconds, self._restore())
        self.averaging = WeightAveraging(
            work.folder, options.name, self.parameters, rank=options.rank, world=options.world
        )
        self._cumulative, self._weights = alphas(), loss_weights()

    @property
    def file(self) -> str:
        """Return the name of this process's state."""
        return f"{self.options.name}{self.options.rank or ''}.pt"

    def _restore(self) -> float:
        """Load this process's state, or the one it continues; return the seconds used."""
        for name in (self.file, f"{self.options.name}.pt", "unet.pt"):
            path = self.work.path(name)
            if path.exists():
                state = torch.load(path, weights_only=True)
                self.unet.load_state_dict(state["unet"])
                self.optimizer.load_state_dict(state["optimizer"])
                self.average, self.seen = state["average"], state["seen"]
                if not name.startswith(self.options.name):
                    return 0.0
                late = 0.0 if name == self.file else time.time() - path.stat().st_mtime
                return float(state["used"]) + late
        return 0.0

    def save(self) -> None:
        """Write the state."""
        state = {"unet": self.unet.state_dict(), "optimizer": self.optimizer.state_dict(), "average": self.average}
        self.work.save(self.file, {**state, "used": self.clock.used, "seen": self.seen})

    def learn(self, lesson: Lesson, rate: float) -> tuple[float, float]:
        """Take one step; return the weighted loss and that of the noisy half."""
        self.optimizer.param_groups[0]["lr"] = rate
        alpha = self._cumulative[lesson.times][:, None, None, None]
        noised = alpha.sqrt() * lesson.shown + (1 - alpha).sqrt() * torch.randn_like(lesson.shown)
        # The noise that leads to the true latents, whatever was shown.
        noise = (noised - alpha.sqrt() * lesson.latents) / (1 - alpha).sqrt()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.clock.share < FULL_PRECISION_FROM):
            noised = noised.contiguous(memory_format=torch.channels_last)
            predicted = self.unet(noised, lesson.times, lesson.states).sample
        errors = ((predicted.float() - noise).square() * lesson.places).mean((1, 2, 3)) * self._weights[lesson.times]
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(errors.mean())
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.seen += len(lesson.times)
        return float(errors.detach().mean()), float(errors.detach()[lesson.times >= STEPS // 2].mean())

    def share_weights(self, step: int) -> int:
        """Meet the other processes and move the running average; return how many were heard."""
        heard = self.averaging.exchange()
        keep = min(
            0.9 if self.options.refine else AVERAGING, (1 + step / 8) / (8 + step / 8) if self.seen < 20_000 else 1
        )
        for mean, parameter in zip(self.average, self.parameters, strict=True):
            mean.lerp_(parameter.data, 1 - keep)
        return heard

    def run(self, batches: Batches) -> None:
        """Train until the time is up."""
        step, heard, saved, losses = 0, 0, time.monotonic(), []
        while self.clock.share < 1:
            step += 1
            rate = min(1.0, step / 60) * self.options.rate(self.clock.share)
            lesson = batches.draw(self.options.progress(self.clock.share), self.options.batch)
            losses.append(self.learn(lesson, rate))
            if step % EXCHANGE_EVERY == 0:
                heard = self.share_weights(step)
            if step % 80 == 0:
                means = np.nanmean(losses[-80:], 0).round(4)
                print(f"{self.clock.used:.0f}s step {step} seen {self.seen} x{heard + 1} loss {means}", flush=True)
            if time.monotonic() - saved > 60:
                saved = time.monotonic()
                self.save()
        self.save()


def train(work: Workspace, options: Options) -> None:
    """Train for `seconds` in all, resuming what an earlier call left."""
    trainer = Trainer(work, options)
    seed = options.seed + options.rank + int(time.time())
    torch.manual_seed(seed)
    trainer.run(Batches(work, Conditioner(work, random.Random(seed)), np.random.default_rng(seed)))


def main() -> None:
    """Run the step from the command line."""
    parser = arguments(__doc__, seconds=4000)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--refine", action="store_true", help="a short second round on the finished UNet")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(Workspace(given.work), Options(given.seconds, given.seed, given.rank, given.world, given.batch, given.refine))


if __name__ == "__main__":
    main()
