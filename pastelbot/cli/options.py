"""Options that commands share: the configuration."""

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from pastelbot import config
from pastelbot.errors import PathError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.option import Option
from pastelbot.options.signatures import PARAMETER, show_options
from pastelbot.paths import local_path
from pastelbot.prompt.flags import Takes
from pastelbot.rules.configured_names import unknown_names


def path_option(text: str, *names: str) -> object:
    """Return an option that is a path, with its help; a home folder is found, and what no file can be is refused."""
    return typer.Option(*names, help=text, callback=_checked_path)


def path_argument(text: str, metavar: str | None = None) -> object:
    """Return an argument that is a path, as `path_option` does."""
    return typer.Argument(metavar=metavar, help=text, callback=_checked_path)


def _checked_path(parameter: typer.CallbackParam, value: Path | None) -> Path | None:
    """Return what was typed as a path, with its home folder; every parameter that is a path has this callback."""
    name = parameter.opts[0] if parameter.param_type_name == "option" else str(parameter.name).upper()
    return None if value is None else _look_at(name, value)


def _look_at(name: str, written: str | Path) -> Path:
    """Return a path; raises a PathError that says where it was written, and why no file can be there."""
    try:
        return local_path(written)
    except PathError as error:
        raise PathError(f"{name}: {error}") from error


ConfigOption = Annotated[
    Path | None, path_option("Configuration file; left out, config.toml where there is one.", "--config", "-c")
]


def load_settings(path: Path | None, *, bundled: bool = False, checkpoint: str | None = None) -> config.Settings:
    """Load the named configuration, else PASTELBOT_CONFIG, else ./config.toml, else the defaults.

    With `bundled` and no configuration anywhere, the checkpoint is the bundled one. Where another `checkpoint` is
    named, what the configuration states of its own one's prediction does not count.
    """
    named = path or named_in(os.environ)
    found = named or (Path("config.toml") if Path("config.toml").is_file() else None)
    environ = dict(os.environ)
    # The worker and the tagger read other people's files, and inherit what is left here: the token is not for them.
    os.environ.pop("PASTELBOT_TOKEN", None)
    if bundled and found is None:
        environ.setdefault("PASTELBOT_CHECKPOINT__PATH", config.BUNDLED)
    if checkpoint is not None:
        _look_at("--checkpoint", checkpoint)
        environ["PASTELBOT_CHECKPOINT__PATH"] = checkpoint
    settings = config.load(found, environ=environ, checks=[unknown_names])
    if checkpoint is None:
        return settings
    other = settings.checkpoint.model_copy(update={"prediction": None, "zero_terminal_snr": None})
    return settings.model_copy(update={"checkpoint": other})


def named_in(environ: Mapping[str, str]) -> Path | None:
    """Return the configuration that the environment names; raises PathError where no file can be there."""
    written = environ.get("PASTELBOT_CONFIG")
    return _look_at("PASTELBOT_CONFIG", written) if written else None


def generation_options(**descriptions: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Show the options of the table that the command line has in place of the function's parameter `options`.

    They are described as the table has it, unless `descriptions` has something else.
    """
    types = get_type_hints(GenerationOptions)
    annotations = {
        option.name: Annotated[
            types[option.name],
            typer.Option(*_other_names(option), help=descriptions.get(option.name, _help(option))),
        ]
        for option in OPTIONS
        if option.command_line
    }

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def with_options(**typed: object) -> None:
            values = {name: typed.pop(name) for name in annotations}
            function(**typed, **{PARAMETER: GenerationOptions.of(values)})

        show_options(with_options, function, annotations)
        return with_options

    return decorate


def _other_names(option: Option[Any]) -> tuple[str, ...]:  # Any: each option has a type of its own
    """Return all names of an option that has another one as a flag of prompts, such as `--set`; nothing for others."""
    own = option.name.replace("_", "-")
    flags = [flag.syntax.name for flag in option.flags if flag.syntax.takes is Takes.TEXT and flag.syntax.name != own]
    return (f"--{own}", *(f"--{name}" for name in flags)) if flags else ()


def _help(option: Option[Any]) -> str:  # Any: each option has a type of its own
    examples = " or ".join(f'"{choice}"' for choice in option.choices[:2])
    return (
        f"{option.describe}. For example {examples}." if examples and option.spread is None else f"{option.describe}."
    )
