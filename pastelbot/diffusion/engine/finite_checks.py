"""Checks for NaN or infinite latents that hardly ever make the device wait."""

import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from pastelbot.diffusion.engine.active_jobs import PictureTask

_TOGETHER = 8  # answers that are looked at together


class FiniteChecks:
    """Checks answers of the denoiser, several at a time and before a picture is decoded.

    What has become invalid stays so; the sum of an answer is invalid where any of its numbers is.
    """

    def __init__(self) -> None:
        self._sums: defaultdict[PictureTask, list[Tensor]] = defaultdict(list)

    def add(self, tasks: Sequence[PictureTask], answers: Sequence[Tensor]) -> None:
        """Take the answers that pictures have advanced by."""
        for task, answer in zip(tasks, answers, strict=True):
            self._sums[task].append(answer.sum())

    def forget(self, task: PictureTask) -> None:
        """Drop what is not checked of a picture that has left."""
        self._sums.pop(task, None)

    def broken(self) -> list[tuple[PictureTask, int]]:
        """Return the pictures whose latents broke, and at which step, as far as it was looked at."""
        due = [task for task, sums in self._sums.items() if len(sums) >= _TOGETHER or task.request is None]
        steps = ((task, self._first_invalid(task)) for task in due)
        return [(task, step) for task, step in steps if step is not None]

    def _first_invalid(self, task: PictureTask) -> int | None:
        sums = torch.stack(self._sums.pop(task)).tolist()
        first = task.calls - len(sums) + 1
        return next((first + place for place, total in enumerate(sums) if not math.isfinite(total)), None)
