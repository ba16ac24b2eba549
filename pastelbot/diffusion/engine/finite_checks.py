"""Checks for NaN or infinite latents that do not make the device wait."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pastelbot.diffusion.engine.active_jobs import PictureTask


@dataclass(frozen=True, eq=False)
class _Check:
    tasks: Sequence[tuple[PictureTask, int]]  # with the step that is checked
    flags: Tensor
    copied: torch.cuda.Event | None


class FiniteChecks:
    """Checks answers of the denoiser: at once on the CPU, one turn later on CUDA, where asking at once would wait."""

    def __init__(self) -> None:
        self._waiting: list[_Check] = []
        self._fresh: list[_Check] = []

    def add(self, tasks: Sequence[PictureTask], answers: Sequence[Tensor]) -> None:
        """Check the answers to pictures whose call they are has been counted."""
        flags = torch.stack([torch.isfinite(answer).all() for answer in answers])
        copied = None
        if flags.is_cuda:
            flags = torch.empty(flags.shape, dtype=flags.dtype, pin_memory=True).copy_(flags, non_blocking=True)
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record()
        check = _Check([(task, task.calls) for task in tasks], flags, copied)
        (self._fresh if copied else self._waiting).append(check)

    def broken(self) -> list[tuple[PictureTask, int]]:
        """Return the pictures whose latents broke, and at which step."""
        found = []
        for check in self._waiting:
            if check.copied is not None:
                check.copied.synchronize()
            sound = check.flags.tolist()
            found += [place for place, good in zip(check.tasks, sound, strict=True) if not good]
        self._waiting, self._fresh = self._fresh, []
        return found
