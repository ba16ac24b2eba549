"""Where a training run keeps its files, and how pictures are read from it."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Label(TypedDict):
    """What one rendered portrait shows (written by portraits/render.mjs)."""

    tags: list[str]
    hair: str
    background: str
    eye: str
    eyes: str
    mouth: str
    eyewear: str
    blush: bool
    style: bool
    shirt: str
    shape: str
    flower: bool
    bad: bool


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """One rendered file: its name, count, seed, shorter side and window on the drawing."""

    name: str
    count: int
    seed: int
    side: int = 128
    view: str = "square"

    @property
    def shape(self) -> tuple[int, int]:
        """Return (height, width) in pixels."""
        longer = self.side * 3 // 2
        return {"square": (self.side, self.side), "portrait": (longer, self.side), "landscape": (self.side, longer)}[
            self.view
        ]


PICTURE_SETS = (
    PictureSet(name="a", count=12000, seed=11),
    PictureSet(name="b", count=12000, seed=12),
    PictureSet(name="p", count=3000, seed=13, view="portrait"),
    PictureSet(name="l", count=3000, seed=14, view="landscape"),
    PictureSet(name="h", count=5000, seed=15, side=256),
    PictureSet(name="t", count=2000, seed=16),
    PictureSet(name="hp", count=700, seed=17, side=256, view="portrait"),
    PictureSet(name="hl", count=700, seed=18, side=256, view="landscape"),
)
"""a, b: native size; p, l: other aspect ratios; h, hp, hl: twice the size, for the hires pass; t: held out, for the
judge."""


@dataclass(frozen=True)
class Workspace:
    """The folder that holds data, weights and logs of one run (outside the repository)."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of file `name`."""
        return self.folder / name

    def labels(self, name: str) -> list[Label]:
        """Read the labels of a picture set."""
        labels: list[Label] = json.loads(self.path(f"{name}.json").read_text())
        return labels

    def pictures(self, name: str) -> Pixels:
        """Map a picture set as uint8 [count, height, width, 3]."""
        shape = next(s.shape for s in PICTURE_SETS if s.name == name)
        return np.memmap(self.path(f"{name}.rgb"), np.uint8, "r").reshape(-1, *shape, 3)

    def save(self, name: str, state: object) -> None:
        """Write a state atomically, so that an interrupted run can resume."""
        target = self.path(name)
        torch.save(state, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)


class Clock:
    """Measure the share of a time budget that is used, across resumed runs."""

    def __init__(self, seconds: float, used: float = 0.0) -> None:
        self.seconds = seconds
        self._start = time.monotonic() - used

    @property
    def used(self) -> float:
        """Return the seconds of training so far."""
        return time.monotonic() - self._start

    @property
    def share(self) -> float:
        """Return the used share of the budget, 0 to 1 and beyond."""
        return self.used / self.seconds


def flat_then_cosine(share: float, flat: float, floor: float = 0.02) -> float:
    """Return the learning-rate factor: 1 until `flat`, then a cosine down to `floor`."""
    if share < flat:
        return 1.0
    return max(floor, 0.5 * (1 + float(np.cos(np.pi * min(1.0, (share - flat) / (1 - flat))))))


def arguments(description: str | None, *, seconds: float = 0.0) -> argparse.ArgumentParser:
    """Return a parser with the options every step has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", type=Path, required=True, help="folder for data, weights and logs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    if seconds:
        parser.add_argument("--rank", type=int, default=0, help="number of this process")
        parser.add_argument("--world", type=int, default=1, help="how many processes train together")
        parser.add_argument("--seconds", type=float, default=seconds, help="time budget; the schedule follows it")
    return parser
