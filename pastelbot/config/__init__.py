"""Configuration: a TOML file and environment variables become one validated, frozen `Settings`."""

from pastelbot.config.file_modes import open_files
from pastelbot.config.loading import bundled, load
from pastelbot.config.sections import (
    BUNDLED,
    CheckpointSettings,
    LimitSettings,
    LogSettings,
    MonitoringSettings,
    MoreCheckpointSettings,
    QuotaSettings,
    RaySettings,
    Settings,
    StorageSettings,
    TagSettings,
    WorkerSettings,
    bundled_checkpoint,
    checkpoint_location,
    parse_size,
)
from pastelbot.config.worker import WorkerOptions

__all__ = [
    "BUNDLED",
    "CheckpointSettings",
    "LimitSettings",
    "LogSettings",
    "MonitoringSettings",
    "MoreCheckpointSettings",
    "QuotaSettings",
    "RaySettings",
    "Settings",
    "StorageSettings",
    "TagSettings",
    "WorkerOptions",
    "WorkerSettings",
    "bundled",
    "bundled_checkpoint",
    "checkpoint_location",
    "load",
    "open_files",
    "parse_size",
]
