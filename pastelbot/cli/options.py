"""Options that commands share: the configuration."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from pastelbot import config
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.option import Option
from pastelbot.options.signatures import PARAMETER, show_options
from pastelbot.prompt.flags import Takes
from pastelbot.rules.configured_names import unknown_names

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; left out, config.toml where there is one.")
]


def load_settings(path: Path | None, *, bundled: bool = False, checkpoint: str | None = None) -> config.Settings:
    """Load the named configuration, else PASTELBOT_CONFIG, else ./config.toml, else the defaults.

    With `bundled` and no configuration anywhere, the checkpoint is the bundled one. Where another `checkpoint` is
    named, what the configuration states of its own one's prediction does not count.
    """
    named = path or (Path(os.environ["PASTELBOT_CONFIG"]) if os.environ.get("PASTELBOT_CONFIG") else None)
    found = named or (Path("config.toml") if Path("config.toml").is_file() else None)
    environ = dict(os.environ)
    # The worker and the tagger read other people's files, and inherit what is left here: the token is not for them.
    os.environ.pop("PASTELBOT_TOKEN", None)
    if bundled and found is None:
        environ.setdefault("PASTELBOT_CHECKPOINT__PATH", config.BUNDLED)
    if checkpoint is not None:
        environ["PASTELBOT_CHECKPOINT__PATH"] = checkpoint
    settings = config.load(found, environ=environ, checks=[unknown_names])
    if checkpoint is None:
        return settings
    other = settings.checkpoint.model_copy(update={"prediction": None, "zero_terminal_snr": None})
    return settings.model_copy(update={"checkpoint": other})


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
