"""Configuration: a TOML file and environment variables become one validated, frozen `Settings`."""

from pastelbot.config.loading import bundled, load
from pastelbot.config.sections import (
    BUNDLED,
    CARD_NEGATIVE_PROMPT,
    CheckpointSettings,
    LimitSettings,
    LogSettings,
    QuotaSettings,
    Settings,
    StorageSettings,
    TagSettings,
    bundled_checkpoint,
    checkpoint_location,
    parse_size,
)

__all__ = [
    "BUNDLED",
    "CARD_NEGATIVE_PROMPT",
    "CheckpointSettings",
    "LimitSettings",
    "LogSettings",
    "QuotaSettings",
    "Settings",
    "StorageSettings",
    "TagSettings",
    "bundled",
    "bundled_checkpoint",
    "checkpoint_location",
    "load",
    "parse_size",
]
