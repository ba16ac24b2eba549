"""Command line: run, demo, imagine. Every error ends in one sentence and exit code 2."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pastelbot import __version__
from pastelbot.cli import bench, db, doctor, export, health, setup, tags, web, workshop
from pastelbot.cli.options import ConfigOption, generation_options, load_settings, path_argument, path_option
from pastelbot.errors import ConfigError, PastelError
from pastelbot.options import GenerationOptions

app = typer.Typer(
    help="A Discord bot that paints anime pictures with Stable Diffusion 1.x.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; a PastelError becomes its sentence on standard error."""
    try:
        app()
    except PastelError as error:
        sys.stderr.write(f"pastelbot: {error}\n")
        sys.exit(2)


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    config: ConfigOption = None,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Run the bot, unless a command says otherwise."""
    if version:
        typer.echo(f"pastelbot {__version__}")
    elif context.invoked_subcommand is None:
        run(config)
    elif config is not None:
        context.default_map = _config_everywhere(context.command, str(config))
        if not _takes_config(context.command, context.invoked_subcommand):
            raise ConfigError(f"pastelbot {context.invoked_subcommand} reads no configuration: leave --config out.")


def _config_everywhere(command: object, config: str) -> dict[str, Any]:  # Any: such maps, one in the other
    """Return the defaults of a command, and of all commands behind it, with the configuration among them."""
    inner: dict[str, object] | None = getattr(command, "commands", None)
    if inner is None:
        return {"config": config}
    return {"config": config, **{name: _config_everywhere(each, config) for name, each in inner.items()}}


def _takes_config(group: object, name: str) -> bool:
    """Return whether a command reads the configuration; of a command with others behind it, these say so."""
    command = getattr(group, "commands", {}).get(name)
    return hasattr(command, "commands") or any(each.name == "config" for each in getattr(command, "params", ()))


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the bot on Discord until Ctrl-C."""
    from pastelbot import run as running

    running.run(load_settings(config))


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 is any free one.")] = 0,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    language: Annotated[str, typer.Option(help="Language of the server, of what all read: en or ja.")] = "en",
) -> None:
    """Try the whole bot in the browser: no token, no GPU, no download."""
    from pastelbot.demo import simulator as demonstration

    demonstration.run(port=port, open_browser=browser, language=language)


@app.command()
@generation_options(
    denoise="Denoising strength of the second pass, or of --init.",
    checkpoint="One of the configuration's, a folder, file or hub name; `bundled` is inside.",
    vae="One of the configuration's VAEs, or a file.",
)
def imagine(
    prompt: Annotated[str | None, typer.Argument(help="What to paint, as danbooru tags.")] = None,
    *,
    options: GenerationOptions,
    init: Annotated[Path | None, path_option("A picture to start from (img2img), without a second pass.")] = None,
    mask: Annotated[
        Path | None, path_option("What is white in it is painted of --init, nothing else; --set 'Mask blur: 8'.")
    ] = None,
    loras: Annotated[Path | None, path_option("A folder of LoRAs, for <lora:name:0.6> in the prompt.")] = None,
    embeddings: Annotated[Path | None, path_option("A folder of textual inversion embeddings.")] = None,
    from_infotext: Annotated[
        Path | None, path_option("Paint what a picture or text file says; other options change it.")
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Also write all pictures on one sheet.")] = False,
    out: Annotated[Path, path_option("A .png file, or a folder.")] = Path("out"),
    config: ConfigOption = None,
) -> None:
    """Paint without Discord."""
    from pastelbot.cli import generate
    from pastelbot.doctor.local_checks import folder_findings

    if init is not None:
        options = options.replace(init=generate.read_init(init))
    if mask is not None:
        options = options.replace(mask=generate.read_init(mask))
    settings, checkpoint = load_settings(config, bundled=True), options.checkpoint
    if checkpoint is not None and checkpoint not in settings.checkpoint_names:
        settings, options = load_settings(config, bundled=True, checkpoint=checkpoint), options.replace(checkpoint=None)
    settings = generate.with_files(settings, vae=options.vae, loras=loras, embeddings=embeddings)
    options = options.replace(prompt=prompt)

    def show(note: str) -> None:
        typer.echo(f"note: {note}", err=True)

    for finding in folder_findings(settings):  # before a refusal that says that there are none
        show(f"{finding.what}: {finding.text}")
    random_seed = generate.RandomSeed()
    request, notes = generate.request_of(options, settings, from_infotext, random_seed)
    for note in notes:
        show(note)
    try:
        drawn = request.seed in random_seed.drawn
        paths = generate.paint(request, settings, out, with_sheet=grid, seed_drawn=drawn, on_note=show)
    except KeyboardInterrupt:
        show("stopped, and nothing was written")
        raise typer.Exit(130) from None
    for path in paths:
        typer.echo(path)


@app.command()
def info(file: Annotated[Path, path_argument("A picture, or a text file with an infotext.")]) -> None:
    """Print what a picture says about how it was made."""
    from pastelbot.formats import pictures
    from pastelbot.options.recreating import read_settings

    text = pictures.read_infotext(file)
    read_settings(text)  # any other text is refused
    typer.echo(text)


@app.command()
def describe(
    file: Annotated[Path, path_argument("A PNG, JPEG or WebP file.")],
    config: ConfigOption = None,
) -> None:
    """Print which tags a picture shows, as a prompt, and its rating."""
    from pastelbot.cli import describe

    described = describe.describe(file, load_settings(config), on_progress=lambda text: typer.echo(text, err=True))
    typer.echo(described)


for module in (setup, doctor, bench, health, db, tags, workshop, export, web):
    module.register(app)
