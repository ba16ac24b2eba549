"""The workshop on the command line: recipe, merge, lora, vae, convert, inspect."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pastelbot.cli.options import ConfigOption, load_settings, path_argument, path_option
from pastelbot.cli.progress import progress_bar
from pastelbot.errors import RecipeError, WorkshopError

recipe_app = typer.Typer(help="Recipes: a checkpoint made step by step, described in one file.")
lora_app = typer.Typer(help="Merge LoRAs into a checkpoint, or extract one.")
vae_app = typer.Typer(help="Bake a VAE into a checkpoint.")

_STEP = re.compile(r"^Step '[^']*'(?:, key '(?P<key>[^']+)')?:? ")
_POSITIONAL = ("a", "b", "source", "base", "original", "tuned", "vae")
_OPTIONS = {"c": "minus"}

CheckpointArgument = Annotated[str, typer.Argument(help="File, diffusers folder, or hub name.")]
OutArgument = Annotated[Path, path_argument("A .safetensors file, or a new folder for diffusers' layout.")]
PrecisionOption = Annotated[str | None, typer.Option(help="fp32, fp16 or bf16; left out, that of the inputs.")]


def register(app: typer.Typer) -> None:
    """Add the workshop's commands to the command line."""
    app.add_typer(recipe_app, name="recipe")
    app.add_typer(lora_app, name="lora")
    app.add_typer(vae_app, name="vae")
    app.command("merge")(merge)
    app.command("convert")(convert)
    app.command("inspect")(inspect)


@recipe_app.callback()
def recipe() -> None:
    """Make checkpoints from recipes."""


@recipe_app.command("run")
def recipe_run(
    file: Annotated[Path, path_argument("The recipe, a .toml file.")],
    out: Annotated[Path | None, path_option("Where the last step's result goes, instead of its output.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make what a recipe describes, in one pass, tensor by tensor."""
    from pastelbot.workshop.recipes.recipe import read_recipe
    from pastelbot.workshop.recipes.runner import run_recipe

    found, settings = read_recipe(file, out=out), load_settings(config).checkpoint
    with progress_bar("Looking at the inputs", in_bytes=True) as listener:
        report = run_recipe(found, listener, settings)
    _print_report(report.notes, report.outputs)


def merge(
    a: CheckpointArgument,
    b: CheckpointArgument,
    out: OutArgument,
    weights: Annotated[str | None, typer.Option(help="25 block weights with commas: IN00-11, M00, OUT00-11.")] = None,
    base_alpha: Annotated[float, typer.Option(help="With --weights: text encoder and VAE.")] = 0.0,
    weight: Annotated[float | None, typer.Option(help="One weight for everything; 0 is A, 1 is B.")] = None,
    minus: Annotated[str | None, typer.Option(help="C in A + (B - C) * weight.")] = None,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
) -> None:
    """Merge two checkpoints. By block weights, as a weighted sum, or by adding a difference."""
    table: dict[str, object] = {"a": a, "b": b, "precision": precision}
    if (weights is None) == (weight is None):
        raise WorkshopError("A merge needs either --weights or --weight.")
    if weights is not None and minus is not None:
        raise WorkshopError("--minus goes with --weight, not with --weights.")
    if weights is not None:
        table |= {"operation": "block-merge", "weights": weights, "base_alpha": base_alpha}
    elif minus is not None:
        table |= {"operation": "add-difference", "c": minus, "weight": weight}
    else:
        table |= {"operation": "weighted-sum", "weight": weight}
    _run_step("merge", table, out, config)


@lora_app.command("merge")
def lora_merge(
    base: CheckpointArgument,
    out: OutArgument,
    lora: Annotated[list[str], typer.Option(help="A LoRA and its weight, as FILE:0.6; give it once for each.")],
    precision: PrecisionOption = None,
    config: ConfigOption = None,
) -> None:
    """Merge any number of LoRAs into a checkpoint, rounding once."""
    loras = [_lora_use(text) for text in lora]
    _run_step(
        "lora-merge", {"operation": "lora-merge", "base": base, "loras": loras, "precision": precision}, out, config
    )


@lora_app.command("extract")
def lora_extract(
    original: CheckpointArgument,
    tuned: CheckpointArgument,
    out: Annotated[Path, path_argument("The LoRA, a .safetensors file.")],
    rank: Annotated[int, typer.Option(help="Rank of linear layers and 1x1 convolutions.")] = 64,
    conv_rank: Annotated[int | None, typer.Option(help="Rank of 3x3 convolutions; left out, they stay out.")] = None,
    clamp: Annotated[float | None, typer.Option(help="Limit values to this quantile, as kohya does with 0.99.")] = None,
    min_difference: Annotated[
        float, typer.Option(help="Leave the text encoder out where it differs by no more than this.")
    ] = 0.01,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or bf16.")] = "fp16",
    config: ConfigOption = None,
) -> None:
    """Extract a LoRA from the difference of two checkpoints."""
    table = {
        "operation": "lora-extract",
        "original": original,
        "tuned": tuned,
        "rank": rank,
        "conv_rank": conv_rank,
        "clamp": clamp,
        "min_difference": min_difference,
        "precision": precision,
    }
    _run_step("lora-extract", table, out, config)


@vae_app.callback()
def vae() -> None:
    """Work with VAEs."""


@vae_app.command("bake")
def vae_bake(
    checkpoint: CheckpointArgument,
    vae: Annotated[str, typer.Argument(help="VAE: file, folder, or hub name.")],
    out: OutArgument,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
) -> None:
    """Put a VAE into a checkpoint, so that it needs no separate file."""
    _run_step(
        "vae-bake", {"operation": "vae-bake", "base": checkpoint, "vae": vae, "precision": precision}, out, config
    )


def convert(
    source: CheckpointArgument,
    out: OutArgument,
    precision: PrecisionOption = None,
    ema: Annotated[str, typer.Option(help="EMA weights: drop, keep, or use them in place of the others.")] = "drop",
    config: ConfigOption = None,
) -> None:
    """Convert a checkpoint. Between diffusers' folders and single files, pickles and safetensors, and precisions."""
    _run_step("convert", {"operation": "convert", "source": source, "ema": ema, "precision": precision}, out, config)


def inspect(path: Annotated[Path, path_argument("A weights file, or a diffusers folder.")]) -> None:
    """Say what a file of weights is. Kind, hashes, precision, rank, trigger words, problems."""
    from pastelbot.workshop.inspection import inspect_path

    with progress_bar("Looking at the inputs", in_bytes=True) as listener:
        findings = inspect_path(path, listener)
    for line in findings.lines():
        typer.echo(line)
    if findings.problems:
        raise typer.Exit(1)


def _run_step(name: str, table: Mapping[str, object], out: Path, config: Path | None) -> None:
    from pastelbot.workshop.recipes.recipe import single_step
    from pastelbot.workshop.recipes.runner import run_recipe

    settings = load_settings(config).checkpoint
    try:
        found = single_step(name, table, out)
    except RecipeError as error:
        raise RecipeError(_as_typed(str(error))) from error
    with progress_bar("Looking at the inputs", in_bytes=True) as listener:
        report = run_recipe(found, listener, settings)
    _print_report(report.notes, report.outputs)


def _as_typed(sentence: str) -> str:
    """Return an error of a recipe's step as one of the command that made the step: it has arguments, and no keys."""
    return _STEP.sub(lambda match: f"{_argument(match['key'])}: " if match["key"] else "", sentence)


def _argument(key: str) -> str:
    """Return how the commands call what is a key in recipes."""
    if key.startswith("loras["):
        return "--lora"
    return key.upper() if key in _POSITIONAL else f"--{_OPTIONS.get(key, key).replace('_', '-')}"


def _lora_use(text: str) -> dict[str, object]:
    """Read FILE or FILE:WEIGHT; a colon without a number behind it belongs to the file's name."""
    file, colon, weight = text.rpartition(":")
    try:
        return {"file": file, "weight": float(weight)} if colon else {"file": text}
    except ValueError:
        return {"file": text}


def _print_report(notes: list[str], outputs: list[Path]) -> None:
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    for path in outputs:
        typer.echo(path)
