"""Command that measures how fast this machine paints, and the form of all benchmarks' results."""

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pastelbot.cli import generate
from pastelbot.cli.options import ConfigOption, load_settings, path_option
from pastelbot.cli.progress import progress_bar
from pastelbot.config import Settings, WorkerOptions, checkpoint_location
from pastelbot.errors import ConfigError, StartupError
from pastelbot.formats.precheck import check_reference
from pastelbot.options import GenerationOptions
from pastelbot.records import GenerationRequest

if TYPE_CHECKING:
    from pastelbot.diffusion.engine.timing import PictureTimes

Row = Mapping[str, str | float | None]

_PROMPT = "1girl, red hair, smile"
_SEED = 1
_VERSIONED = ("pastelbot", "torch", "diffusers", "transformers", "openvino", "onnxruntime")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def bench(
        turns: Annotated[int, typer.Option(min=1, help="Pictures that are measured; the median counts.")] = 3,
        json_file: Annotated[
            Path | None, path_option("Also write the results to this file, as JSON.", "--json")
        ] = None,
        config: ConfigOption = None,
    ) -> None:
        """Measure how long a picture takes on this device."""
        settings = load_settings(config, bundled=True)
        if json_file is not None and not json_file.absolute().parent.is_dir():  # before minutes of painting
            raise StartupError(f"{json_file} cannot be written: the folder {json_file.parent} is not there.")
        request = _request(settings)
        try:
            times = _measure(settings, request, turns)
        except KeyboardInterrupt:
            typer.echo("note: stopped, and nothing was measured", err=True)
            raise typer.Exit(130) from None
        facts = {
            "checkpoint": settings.checkpoint.path,
            "picture": _described(request),
            "device": times.device,
            "precision": times.precision,
            "backend": times.backend,
            "threads": str(times.threads),
        }
        publish("card", times.device_name, facts, _rows(request, times), json_file)


def publish(
    benchmark: str, device_name: str, facts: Mapping[str, str], rows: Sequence[Row], json_file: Path | None
) -> None:
    """Print results as a Markdown table, and write them with versions and date to a file; raises StartupError."""
    now = datetime.now(UTC)
    typer.echo(f"{benchmark} on {device_name}, {now:%Y-%m-%d}")
    for name, text in facts.items():
        typer.echo(f"{name}: {text}")
    typer.echo(f"\n{_table(rows)}")
    if json_file is None:
        return
    result = {
        "benchmark": benchmark,
        "date": now.isoformat(timespec="seconds"),
        "device_name": device_name,
        "versions": _versions(),
        "facts": dict(facts),
        "rows": [dict(row) for row in rows],
    }
    try:
        json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StartupError(f"The results cannot be written to {json_file}: {error.strerror}.") from error


def _request(settings: Settings) -> GenerationRequest:
    """Return one picture of the operator's defaults, which are the card's; raises PastelError."""
    if settings.worker.executor == "ray":
        raise ConfigError(
            "pastelbot bench measures this machine, and worker.executor is ray: run it on a machine of the cluster, "
            'with worker.executor = "process".'
        )
    check_reference(checkpoint_location(settings.checkpoint.path), has_vae=bool(settings.checkpoint.vae))
    request, _notes = generate.request_of(GenerationOptions(prompt=_PROMPT, seed=_SEED, count=1), settings, None)
    return request


def _measure(settings: Settings, request: GenerationRequest, turns: int) -> "PictureTimes":
    options = WorkerOptions.of(settings).on_devices()[0]
    with progress_bar("Loading the checkpoint") as show:
        from pastelbot.diffusion.engine import timing

        return timing.time_pictures(options, request, turns=turns, on_picture=show)


def _described(request: GenerationRequest) -> str:
    hires = "" if request.hires is None else f", hires pass to {request.hires.width}x{request.hires.height}"
    return f"{request.width}x{request.height}, {request.sampler}, {request.steps} steps{hires}"


def _rows(request: GenerationRequest, times: "PictureTimes") -> list[Row]:
    sizes = [f"{request.width}x{request.height}"]
    if request.hires is not None:
        sizes.append(f"{request.hires.width}x{request.hires.height}")
    seconds = {
        "loading": times.loading,
        "first picture": times.first,
        f"a picture, median of {len(times.pictures)}": statistics.median(times.pictures),
    }
    # A pass of one step has no time of its own.
    seconds |= {f"a step at {size}": step for size, step in zip(sizes, times.steps, strict=True) if step is not None}
    return [{"what": what, "seconds": taken} for what, taken in seconds.items()]


def _table(rows: Sequence[Row]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([_cell(row[column]) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "-" if value is None else str(value)


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
