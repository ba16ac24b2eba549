"""What the bot process sends down to the worker."""

from dataclasses import dataclass

from pastelbot.records.requests import GenerationRequest


@dataclass(frozen=True, kw_only=True)
class Paint:
    """Command: paint this request. `owner` is the user whose share of the engine it takes."""

    job_id: str
    request: GenerationRequest
    owner: int = 0


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Command: stop painting this job at the next step."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Command: end the worker process."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Command: load the default checkpoint, where it was unloaded."""


Command = Paint | Cancel | Stop | Load
