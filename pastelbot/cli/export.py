"""Exports and downloads on the command line: export onnx, export jax, pull."""

from pathlib import Path
from typing import Annotated

import typer

from pastelbot.cli.options import ConfigOption, load_settings, path_argument, path_option
from pastelbot.cli.progress import progress_bar
from pastelbot.config import checkpoint_location
from pastelbot.errors import WorkshopError

ReferenceArgument = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="File, diffusers folder, or hub name.")]
FolderArgument = Annotated[Path, path_argument("A new folder.", metavar="OUT_DIR")]


export_app = typer.Typer(help="Write a checkpoint for other runtimes.")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(export_app, name="export")
    app.command("pull")(pull)


@export_app.callback()
def export() -> None:
    """Write a checkpoint for other runtimes."""


@export_app.command("onnx")
def export_onnx(
    reference: ReferenceArgument,
    out: FolderArgument,
    opset: Annotated[int, typer.Option(help="Version of ONNX's operators, 18 to 23.")] = 20,
    precision: Annotated[str, typer.Option(help="fp32, or fp16 for CUDA; the VAE stays in fp32.")] = "fp32",
    *,
    plain: Annotated[
        bool, typer.Option("--plain", help="Standard operators only, for other runtimes; takes far more memory.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Write a folder for ONNX Runtime, which checkpoint.path may name."""
    from pastelbot.workshop.export import onnx

    options = onnx.OnnxOptions(opset=opset, precision=precision, plain=plain)
    settings = load_settings(config).checkpoint
    with progress_bar("Looking at the inputs", in_bytes=True) as listener:
        onnx.export_onnx(checkpoint_location(reference), out, settings, options, listener)
    typer.echo(out)


@export_app.command("jax")
def export_jax(
    reference: ReferenceArgument,
    out: FolderArgument,
    size: Annotated[list[str] | None, typer.Option(help="Pixels, 448x640 if left out; once for each.")] = None,
    batch: Annotated[int, typer.Option(help="Rows of the UNet; a picture with guidance takes two.")] = 2,
    chunks: Annotated[int, typer.Option(help="Length of the prompt, in units of 75 tokens.")] = 1,
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare with torch; says by how much.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write programs for JAX (StableHLO). One for each size, with their weights."""
    from pastelbot.workshop.export import jax

    options = jax.JaxOptions(sizes=size or ("448x640",), batch=batch, chunks=chunks)
    settings = load_settings(config).checkpoint
    with progress_bar("Looking at the inputs", in_bytes=True) as listener:
        found = jax.export_jax(checkpoint_location(reference), out, settings, options, check=check, progress=listener)
    for file, difference in found.items():
        typer.echo(f"{file}: differs from torch by {difference:.1e} of the largest number")
    typer.echo(out)


def pull(
    reference: Annotated[str, typer.Argument(metavar="NAME", help="Name on the hub, such as andite/pastel-mix.")],
    revision: Annotated[str | None, typer.Option(help="Commit, tag or branch.")] = None,
    file: Annotated[str | None, typer.Option(help="One file of the repository; else its diffusers folder.")] = None,
    into: Annotated[Path | None, path_option("A folder; left out, the cache that the bot looks in.")] = None,
    *,
    vae: Annotated[bool, typer.Option("--vae", help="The VAE alone.")] = False,
    config: ConfigOption = None,
) -> None:
    """Download a checkpoint from the hub. An interrupted download continues."""
    from pastelbot.formats.hub_download import HubDownload
    from pastelbot.workshop import pull as pulling

    settings = load_settings(config).checkpoint
    if settings.offline:
        raise WorkshopError("checkpoint.offline is set, so nothing is downloaded: unset it to pull.")
    with progress_bar("Asking the hub", in_bytes=True) as listener:
        download = HubDownload(revision=revision, cache_dir=settings.cache_dir, listener=listener)
        found = pulling.pull(reference, download, file=file, into=into, vae=vae)
    typer.echo(found.place)
    typer.echo(f"{found.size:,} bytes, sha256 {found.sha256}, hash {found.hash}")
    typer.echo("\n".join(["", "For config.toml:", *found.settings]))
