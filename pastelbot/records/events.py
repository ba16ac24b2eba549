"""What comes up from the worker to the bot process."""

from dataclasses import dataclass

from pastelbot.records.pictures import Picture


@dataclass(frozen=True, kw_only=True)
class WorkerReady:
    """Event: the checkpoint is loaded and the worker accepts jobs.

    `flops` is the speed of a CPU that has to paint without a GPU, in operations a second; None elsewhere. `workers` is
    how many are ready now.
    """

    device: str
    checkpoint: str
    checkpoint_hash: str
    flops: float | None = None
    workers: int = 1


@dataclass(frozen=True, kw_only=True)
class CheckpointLoaded:
    """Event: another checkpoint is in memory; `name` is its configured name, `checkpoint` that of infotexts."""

    name: str
    checkpoint: str
    checkpoint_hash: str


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Event: the worker is loading or downloading; `what` is a sentence for the operator."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Event: `step` of `steps` UNet steps are done, over all passes of the job."""

    job_id: str
    step: int
    steps: int
    preview: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Painted:
    """Event: the job's pictures, their seconds in the worker, and notes on anything unexpected."""

    job_id: str
    pictures: tuple[Picture, ...]
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaintingFailed:
    """Event: the job failed; `reason` is a sentence for its owner."""

    job_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaintingCancelled:
    """Event: the job left the engine before it was finished."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class WorkerUnloaded:
    """Event: a worker was ended because there was nothing to do; `workers` is how many are still ready."""

    workers: int = 0


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """Event: the worker process ended; `reason` is for the operator. The executor starts another one.

    `detail` is the last line that it wrote to standard error, for the log. `interruption` says to waiting users why
    nothing is painted now, where the worker has failed to start again and again. `workers` is how many are still ready,
    and `jobs` are those that the lost one had; None for all that run.
    """

    reason: str
    detail: str = ""
    interruption: str = ""
    workers: int = 0
    jobs: frozenset[str] | None = None


Event = (
    WorkerReady
    | CheckpointLoaded
    | Loading
    | Progress
    | Painted
    | PaintingFailed
    | PaintingCancelled
    | WorkerUnloaded
    | WorkerLost
)
