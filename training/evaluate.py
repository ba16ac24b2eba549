"""Measure what a checkpoint draws: adherence, negative prompts, emphasis, hires fix and time.

``python -m training.evaluate FOLDER`` prints the table of the model card. The judge has seen rendered pictures only.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.judge import QUESTIONS, Judge, load_judge
from training.sampling import NEGATIVE, POSITIVE, Painter, Settings
from training.workspace import Pixels

SHAPES = [
    "long hair",
    "short hair, bangs",
    "ponytail",
    "medium hair, bangs",
    "bob cut, bangs",
    "double bun",
    "wavy hair",
]
MOUTHS = {"smile": "smile", "open mouth, smile": "open", "grin, teeth": "grin", "frown, sad": "frown"}


@dataclass(frozen=True)
class GenerationOptions:
    """A prompt and the answers its picture should give."""

    prompt: str
    answers: dict[str, str]


def many_options(count: int, seed: int = 7) -> list[GenerationOptions]:
    """Return random prompts: half with glasses, a third in style, an eighth with closed eyes."""
    rng = random.Random(seed)
    return [_options(rng) for _ in range(count)]


def _options(rng: random.Random) -> GenerationOptions:
    hair, ground, eye = (rng.choice(QUESTIONS[name]) for name in ("hair", "background", "eye"))
    words, _ = rng.choice(list(MOUTHS.items()))
    glasses, style, closed = rng.random() < 0.5, rng.random() < 0.33, rng.random() < 0.125
    tags = [f"{hair} hair", rng.choice(SHAPES), words, f"{ground} background"]
    tags += ["closed eyes" if closed else f"{eye} eyes"] + ["glasses"] * glasses + ["mksks style"] * style
    rng.shuffle(tags)
    answers = {
        "hair": hair,
        "background": ground,
        "eyewear": "glasses" if glasses else "",
        "style": str(style),
        "mouth": MOUTHS[words],
    }
    answers |= {"eyes": "closed"} if closed else {"eye": eye, "eyes": "open"}
    return GenerationOptions(POSITIVE + "1girl, " + ", ".join(tags), answers)


def adherence(painter: Painter, judge: Judge, chosen: list[GenerationOptions], settings: Settings) -> dict[str, float]:
    """Return the share of wishes granted, by question, and of all of hair, background and glasses together."""
    pictures = painter.paint([w.prompt for w in chosen], list(range(1000, 1000 + len(chosen))), settings)
    seen = judge.look(pictures)
    result = {}
    for name in ("hair", "background", "eyewear", "style", "eye", "eyes", "mouth"):
        result[name] = float(
            np.mean([s[name] == w.answers[name] for s, w in zip(seen, chosen, strict=True) if name in w.answers])
        )
    three = ("hair", "background", "eyewear")
    result["all three"] = float(
        np.mean([all(s[n] == w.answers[n] for n in three) for s, w in zip(seen, chosen, strict=True)])
    )
    return result


def negatives(painter: Painter, judge: Judge, count: int, settings: Settings) -> dict[str, float]:
    """Return how often glasses appear unasked, and with "glasses" in the negative prompt."""
    prompts = [
        f"{POSITIVE}1girl, {w.answers['hair']} hair, {w.answers['background']} background"
        for w in many_options(count, 9)
    ]
    seeds = list(range(3000, 3000 + count))
    shares = []
    for negative in (NEGATIVE, NEGATIVE + ", glasses"):
        seen = judge.look(painter.paint(prompts, seeds, replace(settings, negative=negative)))
        shares.append(float(np.mean([s["eyewear"] == "glasses" for s in seen])))
    return {"unasked": shares[0], "in the negative": shares[1]}


def redness(pictures: Pixels) -> NDArray[np.float64]:
    """Return how much redder than grey the cheeks are, 0..255, for square pictures."""
    side = pictures.shape[1]
    rows = slice(round(0.60 * side), round(0.65 * side))
    cheeks = [
        pictures[:, rows, round(left * side) : round(right * side)] for left, right in ((0.36, 0.46), (0.74, 0.80))
    ]
    colours = np.mean([part.reshape(len(part), -1, 3).mean(1) for part in cheeks], 0)
    red: NDArray[np.float64] = colours[:, 0] - colours[:, 1:].mean(1)
    return red


def emphasis(painter: Painter, count: int, settings: Settings) -> dict[str, float]:
    """Return the mean redness at ``(blush:0.6)`` and ``(blush:1.4)``, and how often it rises."""
    seeds = list(range(4000, 4000 + count))
    found = []
    for weight in (0.6, 1.4):
        prompts = [w.prompt + f", (blush:{weight})" for w in many_options(count, 11)]
        found.append(redness(painter.paint(prompts, seeds, settings)))
    rises = float((found[1] > found[0]).mean())
    return {"(blush:0.6)": float(found[0].mean()), "(blush:1.4)": float(found[1].mean()), "rises in": rises}


def sharpness(pictures: Pixels) -> float:
    """Return the mean strength of the strongest twentieth of the edges."""
    grey = pictures.astype(np.float32).mean(3)
    edges = np.abs(np.diff(grey, axis=2))[:, :-1] + np.abs(np.diff(grey, axis=1))[:, :, :-1]
    return float(np.sort(edges.reshape(len(edges), -1), 1)[:, -edges[0].size // 20 :].mean())


def quality(painter: Painter, count: int, settings: Settings) -> dict[str, float]:
    """Return the sharpness of pictures asked to be good and asked to be poor, without a negative prompt."""
    plain = [w.prompt.removeprefix(POSITIVE) for w in many_options(count, 17)]
    seeds, free = list(range(6000, 6000 + count)), replace(settings, negative="")
    prefixes = {
        "masterpiece, best quality": POSITIVE,
        "worst quality, lowres, blurry": "worst quality, lowres, blurry, ",
    }
    return {name: sharpness(painter.paint([p + w for w in plain], seeds, free)) for name, p in prefixes.items()}


def hires(painter: Painter, judge: Judge, count: int, settings: Settings) -> dict[str, float]:
    """Return how often the hires fix keeps the person, and how much sharper it is than the enlarged picture."""
    chosen = many_options(count, 13)
    prompts, seeds = [w.prompt for w in chosen], list(range(5000, 5000 + count))
    small, large = painter.paint(prompts, seeds, settings), painter.paint_hires(prompts, seeds, settings)
    enlarged = functional.interpolate(
        torch.from_numpy(small).permute(0, 3, 1, 2).float(), scale_factor=2, mode="bicubic"
    )
    before, after = judge.look(small), judge.look(large)
    names = ("hair", "background", "eyewear")
    result = {
        name: float(np.mean([a[name] == b[name] for a, b in zip(before, after, strict=True)]))
        for name in (*names, "eye", "style")
    }
    result["all three"] = float(np.mean([all(a[n] == b[n] for n in names) for a, b in zip(before, after, strict=True)]))
    grey = enlarged.clamp(0, 255).permute(0, 2, 3, 1).round().byte().numpy()
    result["sharpness ratio"] = sharpness(large) / sharpness(grey)
    return result


def seconds(painter: Painter, settings: Settings) -> dict[str, float]:
    """Return the time of one native picture and of one with hires fix."""
    times = []
    for paint in (painter.paint, painter.paint_hires):
        paint(["1girl"], [1], settings)
        start = time.perf_counter()
        paint(["1girl"], [2], settings)
        times.append(time.perf_counter() - start)
    return {"native": times[0], "with hires fix": times[1]}


def row(name: str, values: dict[str, float]) -> str:
    """Return one printed line."""
    return f"{name:24s}" + "  ".join(f"{key} {value:.3f}" for key, value in values.items())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--cfg", type=float, nargs="+", default=[7.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only-adherence", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    painter, judge = Painter(given.folder), load_judge()
    for cfg in given.cfg:
        settings = Settings(cfg=cfg)
        print(
            row(f"CFG {cfg:g}, clip skip 2", adherence(painter, judge, many_options(given.count), settings)), flush=True
        )
    if given.only_adherence:
        return
    settings = Settings(cfg=given.cfg[0])
    half, few = given.count // 2, max(4, given.count // 4)
    print(row("clip skip 1", adherence(painter, judge, many_options(half), replace(settings, clip_skip=1))), flush=True)
    print(row("glasses", negatives(painter, judge, half, settings)), flush=True)
    print(row("redness of cheeks", emphasis(painter, few, settings)), flush=True)
    print(row("sharpness", quality(painter, few, settings)), flush=True)
    print(row("hires fix keeps", hires(painter, judge, few, settings)), flush=True)
    print(row("seconds a picture", seconds(painter, settings)), flush=True)


if __name__ == "__main__":
    main()
