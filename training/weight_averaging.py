"""Average the weights of several one-thread processes without ever waiting for each other.

Each process publishes its weights in a file all can map and moves half-way to what the others published. On a shared
machine this beats one process with several threads, whose barriers stall as soon as a core is taken away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

STALE_AFTER = 120.0


class WeightAveraging:
    """One process's place among `world` processes that train the same parameters."""

    def __init__(self, folder: Path, name: str, parameters: Sequence[Tensor], *, rank: int, world: int) -> None:
        self._parameters = parameters
        size = sum(p.numel() for p in parameters) + 1
        files = [folder / f"{name}.weights{i}" for i in range(world)]
        for file in files:
            if not file.exists() or file.stat().st_size != 4 * size:
                np.zeros(size, np.float32).tofile(file)
        maps = [np.memmap(file, np.float32, "r+", shape=(size,)) for file in files]
        self._own = maps[rank]
        self._others = [m for i, m in enumerate(maps) if i != rank]
        self._born = time.time()

    def exchange(self) -> int:
        """Publish, move towards the others, and return how many of them had published lately."""
        if not self._others:
            return 0
        flat = torch.cat([p.data.reshape(-1) for p in self._parameters]).numpy()
        self._own[:-1] = flat
        self._own[-1] = time.time() - 1.7e9
        published = [other[:-1].copy() for other in self._others if self._fresh(float(other[-1]))]
        if published:
            self._load(torch.from_numpy(np.mean([flat, *published], axis=0)))
        return len(published)

    def _fresh(self, stamp: float) -> bool:
        # float32 keeps about two minutes of resolution at this size: enough to tell a dead process.
        return stamp > 0 and time.time() - 1.7e9 - stamp < STALE_AFTER

    def _load(self, flat: Tensor) -> None:
        start = 0
        for parameter in self._parameters:
            parameter.data.copy_(flat[start : start + parameter.numel()].view_as(parameter))
            start += parameter.numel()
