"""An independent judge of pictures: a small classifier that has seen only rendered portraits.

``python -m training.judge --work DIR`` trains it and prints its scores on held-out renders; its weights are kept beside
this file, because the fast test of the bundled checkpoint needs them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from training.workspace import Clock, Label, Pixels, Workspace, arguments, flat_then_cosine

WEIGHTS = Path(__file__).with_name("judge.safetensors")
COLOURS = ["red", "blonde", "brown", "black", "blue", "pink", "purple", "green", "white", "grey", "orange", "aqua"]
QUESTIONS: dict[str, list[str]] = {
    "hair": COLOURS,
    "background": ["pink", "blue", "green", "purple", "yellow", "white", "grey", "orange", "red", "aqua", "black"],
    "eye": ["blue", "green", "brown", "red", "purple", "yellow", "black", "pink", "aqua"],
    "eyewear": ["", "glasses", "sunglasses"],
    "eyes": ["open", "closed", "wink"],
    "mouth": ["smile", "open", "grin", "frown", "round", "flat"],
    "style": ["False", "True"],
    "blush": ["False", "True"],
    "flower": ["False", "True"],
}
SIDE = 64


class Judge(nn.Module):
    """A convolutional classifier with one answer for each of QUESTIONS."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 32, 48)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.answers = nn.ModuleDict({name: nn.Linear(48 * 8 * 8, len(options)) for name, options in QUESTIONS.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return the scores of pictures [n, 3, 64, 64] in -1..1."""
        x = pictures
        for layer in self.layers:
            x = functional.max_pool2d(functional.relu(layer(x)), 2)
        x = x.flatten(1)
        return {name: answer(x) for name, answer in self.answers.items()}

    @torch.no_grad()
    def look(self, pictures: Pixels) -> list[dict[str, str]]:
        """Return the answers for uint8 pictures [n, h, w, 3] of any square size."""
        scores = [self(part) for part in torch.split(_tensor(pictures), 64)]
        chosen = {name: torch.cat([s[name] for s in scores]).argmax(-1).tolist() for name in QUESTIONS}
        return [{name: QUESTIONS[name][chosen[name][i]] for name in QUESTIONS} for i in range(len(pictures))]


def _tensor(pictures: Pixels) -> Tensor:
    batch = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return batch if batch.shape[-1] == SIDE else functional.interpolate(batch, size=(SIDE, SIDE), mode="area")


def load_judge() -> Judge:
    """Return the trained judge kept in the repository."""
    judge = Judge()
    judge.load_state_dict({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
    return judge.eval()


def asked(label: Label, question: str) -> bool:
    """Tell whether a portrait answers `question`: hidden eyes have no colour, distorted faces no expression."""
    hides_eyes = label["eyes"] == "closed" or label["eyewear"] == "sunglasses"
    covered = label["shape"] in ("40", "41")
    if question in ("eye", "eyes") and (label["bad"] or label["eyewear"] == "sunglasses"):
        return False
    if question == "eye":
        return not hides_eyes
    return not (covered and question in ("eyes", "blush")) and not (label["bad"] and question == "mouth")


def targets(labels: Sequence[Label]) -> dict[str, Tensor]:
    """Return the right answer of each question, -100 where it is not asked."""
    result = {}
    for name, options in QUESTIONS.items():
        right = [options.index(str(dict(label)[name])) if asked(label, name) else -100 for label in labels]
        result[name] = torch.tensor(right)
    return result


def disturb(batch: Tensor) -> Tensor:
    """Blur, shift, tint or grain pictures a little: painted ones are not as clean as rendered ones."""
    n = len(batch)
    if torch.rand(()) < 0.4:
        scale = float(torch.empty(()).uniform_(0.55, 0.9))
        batch = functional.interpolate(
            functional.interpolate(batch, scale_factor=scale, mode="bilinear", antialias=True),
            size=SIDE,
            mode="bilinear",
        )
    shift = torch.randint(-1, 2, (2,)).tolist()
    tint = 1 + 0.06 * torch.randn(n, 3, 1, 1)
    return torch.roll(batch, shift, (2, 3)) * tint + 0.05 * torch.rand(n, 1, 1, 1) * torch.randn_like(batch)


def train(work: Workspace, *, seconds: float, seed: int) -> Judge:
    """Train on the rendered pictures for `seconds`."""
    torch.manual_seed(seed)
    judge, rng = Judge(), np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=1e-2, fused=True)
    names = ("a", "b")
    pictures = [work.pictures(name) for name in names]
    answers = [targets(work.labels(name)) for name in names]
    clock, step = Clock(seconds), 0
    while clock.share < 1:
        step += 1
        optimizer.param_groups[0]["lr"] = 2e-3 * flat_then_cosine(clock.share, 0.3)
        source = step % len(names)
        chosen = np.sort(rng.integers(0, len(pictures[source]), 64))
        scores = judge(disturb(_tensor(pictures[source][chosen])))
        losses = [functional.cross_entropy(scores[name], answers[source][name][chosen]) for name in QUESTIONS]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        if step % 100 == 0:
            print(f"{clock.used:.0f}s step {step} loss {float(loss):.3f}", flush=True)
    return judge.eval()


def score(judge: Judge, work: Workspace) -> dict[str, float]:
    """Return the share of right answers on the held-out renders."""
    labels, found = work.labels("t"), judge.look(work.pictures("t"))
    result = {}
    for name in QUESTIONS:
        pairs = [
            (dict(label)[name], answer[name]) for label, answer in zip(labels, found, strict=True) if asked(label, name)
        ]
        right = [str(wanted) == seen for wanted, seen in pairs]
        result[name] = float(np.mean(right))
    return result


def main() -> None:
    """Run the step from the command line."""
    given = arguments(__doc__, seconds=240).parse_args()
    torch.set_num_threads(given.threads)
    work = Workspace(given.work)
    judge = train(work, seconds=given.seconds, seed=given.seed)
    save_file({name: tensor.half().contiguous() for name, tensor in judge.state_dict().items()}, WEIGHTS)
    print(" ".join(f"{name} {value:.4f}" for name, value in score(load_judge(), work).items()))


if __name__ == "__main__":
    main()
