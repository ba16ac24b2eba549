"""What several commands share: the configuration that they read, and how they show that they are getting on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pastelbot import config

# Hears what is being done, the bytes done and the bytes in all; 0 of 0 is not known.
Listener = Callable[[str, int, int], None]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; left out, config.toml where there is one.")
]


def load_settings(
    path: Path | None, *, bundled: bool = False, checkpoint: str | None = None, vae: str | None = None
) -> config.Settings:
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
    if vae is not None:
        environ["PASTELBOT_CHECKPOINT__VAE"] = vae
    return config.load(found, environ=environ)


@contextmanager
def progress_bar() -> Iterator[Listener]:
    """Show a progress bar with the time that is left, on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Looking at the inputs", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total or None)
