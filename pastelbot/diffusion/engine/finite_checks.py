"""Checks for NaN or infinite latents that hardly ever make the device wait."""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from pastelbot.diffusion.engine.active_jobs import PictureTask

_TOGETHER = 8  # answers that are looked at together


class FiniteChecks:
    """Checks answers of the denoiser, several at a time and before a picture is decoded.

    What has become invalid stays so: the earlier answers are looked at only where the latest one is invalid.
    """

    def __init__(self) -> None:
        self._answers: defaultdict[PictureTask, list[Tensor]] = defaultdict(list)

    def add(self, tasks: Sequence[PictureTask], answers: Sequence[Tensor]) -> None:
        """Take the answers that pictures have advanced by."""
        for task, answer in zip(tasks, answers, strict=True):
            self._answers[task].append(answer)

    def forget(self, task: PictureTask) -> None:
        """Drop what is not checked of a picture that has left."""
        self._answers.pop(task, None)

    def broken(self) -> list[tuple[PictureTask, int]]:
        """Return the pictures whose latents broke, and at which step, as far as it was looked at."""
        due = [task for task, answers in self._answers.items() if len(answers) >= _TOGETHER or task.request is None]
        return [(task, step) for task in due if (step := self._first_invalid(task)) is not None]

    def _first_invalid(self, task: PictureTask) -> int | None:
        answers = self._answers.pop(task)
        if _is_finite(answers[-1]):
            return None
        first = task.calls - len(answers) + 1
        return next(first + place for place, answer in enumerate(answers) if not _is_finite(answer))


def _is_finite(answer: Tensor) -> bool:
    return bool(torch.isfinite(answer).all())
