"""Paint on this machine without Discord: the command line's `imagine`."""

import secrets
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pastelbot import app, policy
from pastelbot.config import Settings
from pastelbot.drafting import Wish, draft
from pastelbot.errors import StartupError
from pastelbot.records import GenerationRequest, Picture


def paint(wish: Wish, settings: Settings, out: Path) -> list[Path]:
    """Paint a wish with a progress bar; return the files written.

    Raises RequestError, CheckpointError or PaintingError, and StartupError where nothing can be written.
    """
    request = draft(wish, settings, random_seed=lambda: secrets.randbelow(policy.MAX_SEED + 1))
    policy.check_request(request, settings.limits)
    return _write(_paint(request, settings), out)


def _paint(request: GenerationRequest, settings: Settings) -> tuple[Picture, ...]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Loading the checkpoint", total=None)
        from pastelbot.diffusion import checkpoint, engine  # noqa: PLC0415 - torch takes seconds

        options = app.worker_options(settings)
        loaded = checkpoint.load(
            options.checkpoint,
            vae=options.vae,
            device=options.device,
            precision=options.precision,
            revision=options.revision,
            offline=options.offline,
            cache_dir=options.cache_dir,
        )
        return engine.paint(
            loaded,
            request,
            on_progress=lambda event: bar.update(task, description="Painting", completed=event.step, total=event.steps),
        )


def _write(pictures: tuple[Picture, ...], out: Path) -> list[Path]:
    as_file = out.suffix.lower() == ".png"
    if as_file and len(pictures) > 1:
        paths = [out.with_stem(f"{out.stem}-{picture.seed}") for picture in pictures]
    elif as_file:
        paths = [out]
    else:
        paths = [out / f"{picture.seed}.png" for picture in pictures]
    try:
        for path, picture in zip(paths, pictures, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.png)
    except OSError as error:
        raise StartupError(f"The picture cannot be written to {out}: {error.strerror}.") from error
    return paths
