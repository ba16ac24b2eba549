"""The configuration that commands read."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pastelbot import config

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; left out, config.toml where there is one.")
]


def load_settings(path: Path | None, *, bundled: bool = False, checkpoint: str | None = None) -> config.Settings:
    """Load the named configuration, else PASTELBOT_CONFIG, else ./config.toml, else the defaults.

    With `bundled` and no configuration anywhere, the checkpoint is the bundled one.
    """
    named = path or (Path(os.environ["PASTELBOT_CONFIG"]) if os.environ.get("PASTELBOT_CONFIG") else None)
    found = named or (Path("config.toml") if Path("config.toml").is_file() else None)
    environ = dict(os.environ)
    if bundled and found is None:
        environ.setdefault("PASTELBOT_CHECKPOINT__PATH", config.BUNDLED)
    if checkpoint is not None:
        environ["PASTELBOT_CHECKPOINT__PATH"] = checkpoint
    return config.load(found, environ=environ)
