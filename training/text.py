"""Train the text encoder alone until every tag can be read from its hidden states.

Trained together with the UNet it never learnt that "red" belongs to "hair"; so first it predicts, at the end of each
tag and in the padding, what was said. Layers 2 and 3 of three are trained alike: clip skip 2 is the rule, 1 must work.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from training.captions import END, LENGTH, START, UNKNOWN_WORD, Condition, Vocabulary, compose
from training.workspace import Clock, Workspace, arguments, flat_then_cosine

Layer = Any  # the library's modules are untyped
HIDDEN, HEADS, RATE, BATCH = 64, 4, 2e-3, 64
MEAN = 0.5
"""Added to the last norm: webui's emphasis divides by the mean of the conditioning, which must not be near zero."""
GROUPS = (" hair", " background", " eyes", " shirt")


def build(rows: int) -> CLIPTextModel:
    """Return an untrained encoder with a compact embedding of `rows` words."""
    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=HIDDEN,
        intermediate_size=4 * HIDDEN,
        num_hidden_layers=3,
        num_attention_heads=HEADS,
        max_position_embeddings=LENGTH,
        hidden_act="quick_gelu",
        projection_dim=HIDDEN,
        bos_token_id=START,
        eos_token_id=END,
        pad_token_id=1,
    )
    config.vocab_size = rows
    model = CLIPTextModel(config)
    inner(model).embeddings.token_embedding = nn.Embedding(rows, HIDDEN)
    return model


def inner(model: CLIPTextModel) -> Layer:
    """Return the transformer, which some versions of the library wrap once more."""
    return getattr(model, "text_model", model)


def hidden(model: CLIPTextModel, rows: Tensor, clip_skip: int) -> Tensor:
    """Return the conditioning [n, 77, hidden] for clip skip 1 or 2."""
    output = model(input_ids=rows, output_hidden_states=True)
    states: Tensor = output.last_hidden_state
    if clip_skip > 1:
        states = inner(model).final_layer_norm(output.hidden_states[-clip_skip])
    return states


def emphasise(states: Tensor, weights: Tensor) -> Tensor:
    """Multiply each word's state by its weight [n, 77] and keep the mean of each row, as webui does."""
    weighted = states * weights[:, :, None]
    return weighted * (states.mean((1, 2)) / weighted.mean((1, 2)))[:, None, None]


@torch.no_grad()
def start_with_positions(model: CLIPTextModel) -> None:
    """Start with sinusoidal positions and two first heads that look one and two words back."""
    body, size = inner(model), HIDDEN // HEADS
    rates = torch.logspace(math.log10(1.8), math.log10(0.05), size // 2)
    table, embedding = body.embeddings.position_embedding.weight, body.embeddings.token_embedding.weight
    embedding.normal_(std=0.25)
    embedding[:, :size] *= 0.1
    table.normal_(std=0.02)
    angles = torch.arange(float(LENGTH))[:, None] * rates
    table[:, 0:size:2], table[:, 1:size:2] = 0.5 * angles.sin(), 0.5 * angles.cos()
    for layer in body.encoder.layers:
        for name, parameter in layer.named_parameters():
            if name.endswith("weight") and parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, gain=0.7)
    for head, back in enumerate((1, 2)):
        _look_back(body.encoder.layers[0].self_attn, slice(head * size, (head + 1) * size), rates, back)


def _look_back(attention: Layer, rows: slice, rates: Tensor, back: int, gain: float = 3.2) -> None:
    """Turn the query by `back` positions, so that it meets the key of an earlier word."""
    query, key = attention.q_proj.weight[rows], attention.k_proj.weight[rows]
    query.zero_(), key.zero_()
    for i, rate in enumerate(rates):
        cos, sin = math.cos(back * rate) * gain, math.sin(back * rate) * gain
        query[2 * i, 2 * i], query[2 * i, 2 * i + 1] = cos, -sin
        query[2 * i + 1, 2 * i], query[2 * i + 1, 2 * i + 1] = sin, cos
        key[2 * i, 2 * i] = key[2 * i + 1, 2 * i + 1] = gain


@dataclass(frozen=True)
class Batch:
    """Captions with what they say: group choices [n, groups], other tags [n, others], word ends and their tags."""

    rows: Tensor
    choices: Tensor
    others: Tensor
    lengths: Tensor
    ends: Tensor
    words: Tensor


class Task:
    """Make captions of independent random attributes, so that nothing rests on co-occurrence."""

    def __init__(self, vocabulary: Vocabulary, tag_lists: list[list[str]], rng: random.Random) -> None:
        self.vocabulary, self.tag_lists, self.rng = vocabulary, tag_lists, rng
        self.number = {tag: i for i, tag in enumerate(vocabulary.tags)}
        colours = sorted({tag for tags in tag_lists for tag in tags if tag.endswith(GROUPS) and tag.count(" ") == 1})
        self.groups = [[tag for tag in colours if tag.endswith(end) and _is_colour(tag)] for end in GROUPS]
        grouped = {tag for group in self.groups for tag in group}
        self.others = {tag: i for i, tag in enumerate(tag for tag in vocabulary.tags if tag not in grouped)}

    def _tags(self) -> list[str]:
        tags = list(self.rng.choice(self.tag_lists))
        if self.rng.random() < 0.6:
            grouped = {tag for group in self.groups for tag in group}
            tags = [tag for tag in tags if tag not in grouped]
            tags += [self.rng.choice(group) for group in self.groups if self.rng.random() < 0.85]
        return tags

    def batch(self, count: int) -> Batch:
        """Return `count` captions."""
        choices, others = torch.zeros(count, len(GROUPS), dtype=torch.long), torch.zeros(count, len(self.others))
        captions, ends, words = [], [], []
        for n in range(count):
            condition = self.rng.choices(list(Condition), (0.8, 0.14, 0.06))[0]
            said = compose(self._tags(), condition, self.rng)
            caption = self.vocabulary.encode(said, self.rng)
            captions.append(caption)
            for word, end in zip(said, caption.ends, strict=True):
                if end < caption.length and word.tag != UNKNOWN_WORD:
                    ends.append((n, end))
                    words.append(self.number[word.tag])
                    self._mark(word.tag, choices[n], others[n])
        rows = torch.tensor([caption.rows for caption in captions])
        lengths = torch.tensor([caption.length for caption in captions])
        return Batch(rows, choices, others, lengths, torch.tensor(ends), torch.tensor(words))

    def _mark(self, tag: str, choices: Tensor, others: Tensor) -> None:
        for i, group in enumerate(self.groups):
            if tag in group:
                choices[i] = group.index(tag) + 1
        if tag in self.others:
            others[self.others[tag]] = 1


def _is_colour(tag: str) -> bool:
    return tag.split(maxsplit=1)[0] not in {
        "short",
        "medium",
        "long",
        "messy",
        "wavy",
        "curly",
        "spiked",
        "closed",
        "simple",
    }


class Readers(nn.Module):
    """Linear probes of one layer: the choices and tags from the padding, the tag from its last word."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.choices = nn.ModuleList(nn.Linear(HIDDEN, len(group) + 1) for group in task.groups)
        self.others = nn.Linear(HIDDEN, len(task.others))
        self.words = nn.Linear(HIDDEN, len(task.number))

    def loss(self, states: Tensor, batch: Batch) -> tuple[Tensor, list[float]]:
        """Return the loss of `states` and the shares read rightly: each group, then words."""
        n = torch.arange(len(states))[:, None]
        later = batch.lengths[:, None] + (torch.rand(len(states), 2) * (LENGTH - batch.lengths[:, None])).long()
        padding = states[n, torch.cat([batch.lengths[:, None], later], 1)]
        word_scores = self.words(states[batch.ends[:, 0], batch.ends[:, 1]])
        loss = functional.cross_entropy(word_scores, batch.words)
        right = []
        for i, reader in enumerate(self.choices):
            scores = reader(padding)
            loss = loss + functional.cross_entropy(scores.flatten(0, 1), batch.choices[:, i].repeat_interleave(3))
            right.append(float((scores[:, 0].argmax(-1) == batch.choices[:, i]).float().mean()))
        expected = batch.others[:, None].expand(-1, 3, -1)
        loss = loss + 8 * functional.binary_cross_entropy_with_logits(self.others(padding), expected)
        return loss, [*right, float((word_scores.argmax(-1) == batch.words).float().mean())]


def train(work: Workspace, *, seconds: float, seed: int) -> CLIPTextModel:
    """Train for `seconds` in all, resuming; the result is text.pt."""
    torch.manual_seed(seed)
    labels = [label for name in ("a", "b") for label in work.labels(name)]
    vocabulary = Vocabulary.of(work.path("tokenizer"), labels)
    task = Task(vocabulary, [label["tags"] for label in labels], random.Random(seed + int(time.time())))
    model, readers = build(len(vocabulary.used) + 1), nn.ModuleList(Readers(task) for _ in range(2))
    start_with_positions(model)
    parameters = [*model.parameters(), *readers.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.98), weight_decay=1e-3, fused=True)
    used = 0.0
    if work.path("text_run.pt").exists():
        state = torch.load(work.path("text_run.pt"), weights_only=True)
        model.load_state_dict(state["model"]), readers.load_state_dict(state["readers"])
        optimizer.load_state_dict(state["optimizer"])
        used = state["used"]
    clock = Clock(seconds, used)
    for step, right in enumerate(_steps(model, readers, task, optimizer, clock), 1):
        if step % 100 == 0:
            print(f"{clock.used:.0f}s step {step} read rightly {' '.join(f'{r:.3f}' for r in right)}", flush=True)
            state = {"model": model.state_dict(), "readers": readers.state_dict(), "optimizer": optimizer.state_dict()}
            work.save("text_run.pt", {**state, "used": clock.used})
    with torch.no_grad():
        inner(model).final_layer_norm.bias += MEAN
    work.save("text.pt", {"model": model.state_dict(), "used_tokens": vocabulary.used})
    return model


def _steps(
    model: CLIPTextModel, readers: Layer, task: Task, optimizer: torch.optim.Optimizer, clock: Clock
) -> Iterator[list[float]]:
    """Take optimizer steps until the time is up, yielding what the probes of clip skip 2 read rightly."""
    step = 0
    while clock.share < 1:
        step += 1
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, step / 50) * flat_then_cosine(clock.share, 0.4)
        batch = task.batch(BATCH)
        loss, right = readers[1].loss(hidden(model, batch.rows, 2), batch)
        loss = loss + 0.5 * readers[0].loss(hidden(model, batch.rows, 1), batch)[0]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
        optimizer.step()
        yield right


def load(work: Workspace) -> tuple[CLIPTextModel, list[int]]:
    """Return the trained, frozen encoder and the CLIP tokens of its rows 1, 2, ..."""
    state = torch.load(work.path("text.pt"), weights_only=True)
    model = build(len(state["used_tokens"]) + 1)
    model.load_state_dict(state["model"])
    return model.requires_grad_(False).eval(), state["used_tokens"]


def main() -> None:
    """Run the step from the command line."""
    given = arguments(__doc__, seconds=300).parse_args()
    torch.set_num_threads(given.threads)
    train(Workspace(given.work), seconds=given.seconds, seed=given.seed)


if __name__ == "__main__":
    main()
