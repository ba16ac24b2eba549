"""What of the configuration the worker process gets: models and its own section, nothing of Discord or the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pastelbot.config.sections import (
    CheckpointSettings,
    MoreCheckpointSettings,
    RaySettings,
    Settings,
    WorkerSettings,
)


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """The sections that say what the worker loads, and onto what; `checkpoint` is the default one.

    `compiled` is the folder of compiled networks.
    """

    checkpoint: CheckpointSettings
    checkpoints: Mapping[str, MoreCheckpointSettings] = field(default_factory=dict)
    vaes: Mapping[str, str] = field(default_factory=dict)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    ray: RaySettings = field(default_factory=RaySettings)
    compiled: Path | None = None

    def on_devices(self) -> "list[WorkerOptions]":
        """Return the options of each worker; on a cluster all of them are equal."""
        if self.worker.executor == "ray":
            return [self] * self.ray.actors
        devices = self.worker.devices or (self.checkpoint.device,)
        return [replace(self, checkpoint=self.checkpoint.model_copy(update={"device": device})) for device in devices]

    @classmethod
    def of(cls, settings: Settings) -> "WorkerOptions":
        """Return the options of a configuration."""
        return cls(
            checkpoint=settings.checkpoint,
            checkpoints=settings.checkpoints,
            vaes=settings.vaes,
            worker=settings.worker,
            ray=settings.ray,
            compiled=settings.storage.compiled,
        )
