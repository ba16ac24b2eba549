"""What the dispatcher says of a job to those who show it."""

from dataclasses import dataclass
from datetime import datetime

from pastelbot.records.jobs import Job


@dataclass(frozen=True, kw_only=True)
class InLine:
    """Update: the job waits; `position` 1 is next, running jobs included, and distant positions are rounded.

    `ready_at` is the estimated time of completion, None while the throughput is unknown. `paused`: its server
    dispatches no jobs. `interruption`: why nothing is painted at all, "" where painting goes on.
    """

    job: Job
    position: int
    paused: bool = False
    interruption: str = ""
    ready_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BeingPainted:
    """Update: `step` of `steps` UNet steps are done; `seconds_left` is an estimate, None where there is none."""

    job: Job
    step: int
    steps: int
    preview: bytes | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Update: the pictures are on disk and must be posted."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Update: the job failed or was cancelled; nothing was charged."""

    job: Job


Update = InLine | BeingPainted | Rendered | Ended
