"""Write the pages of docs/reference from what the program is made of.

    .venv/bin/python docs/build_reference.py

The commands are those of the real bot on a simulated Discord, the options those of the table, the configuration that
of the settings' models with the comments of config.example.toml. A test compares the pages with what this writes.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import typer
from discord import app_commands
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.studio import SimulatedServer
from helpers.support import Clock, make_settings

from pastelbot.cli.main import app
from pastelbot.config import Settings
from pastelbot.config.sections import MoreCheckpointSettings, SizeSettings
from pastelbot.options.catalogue import OPTIONS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
_NOTE = "*This page is written by `docs/build_reference.py`; change what it is made of, and run that.*"
_COMMENT = re.compile(r"^(?:# )?(?P<key>\w+) = .*?  # (?P<text>.+)$")
_TABLE = re.compile(r"^\[(?P<name>\w+)")


def commands_page(tree: app_commands.CommandTree[discord.Client]) -> str:
    """Return the page of all commands, menus and options of a bot's command tree."""
    lines = ["# Commands", "", _NOTE, ""]
    for command in sorted(tree.get_commands(type=discord.AppCommandType.chat_input), key=lambda one: one.name):
        leaves = command.walk_commands() if isinstance(command, app_commands.Group) else [command]
        for leaf in sorted(leaves, key=lambda one: one.qualified_name):
            if isinstance(leaf, app_commands.Command):
                lines += _command(leaf)
    lines += ["## Menus of messages and users", "", "| Menu | Of |", "|---|---|"]
    for kind, name in ((discord.AppCommandType.message, "a message"), (discord.AppCommandType.user, "a user")):
        lines += [f"| *Apps > {menu.name}* | {name} |" for menu in tree.get_commands(type=kind)]
    return "\n".join([*lines, ""])


def _command(command: "app_commands.Command[Any, ..., Any]") -> Iterator[str]:
    yield from (f"## `/{command.qualified_name}`", "", f"{command.description}.".replace("..", "."), "")
    if command.parameters:
        yield from ("| Option | Takes | Meaning |", "|---|---|---|")
        for one in command.parameters:
            needed = " (required)" if one.required else ""
            yield f"| `{one.display_name}`{needed} | {_taken(one)} | {_cell(str(one.description))} |"
        yield ""


def _taken(one: app_commands.Parameter) -> str:
    """Say what an option takes, with its choices or its range."""
    if one.choices:
        return ", ".join(f"`{choice.name}`" for choice in one.choices)
    kind = {"string": "text", "integer": "whole number", "attachment": "file"}.get(one.type.name, one.type.name)
    if one.type is discord.AppCommandOptionType.string or (one.min_value is None and one.max_value is None):
        return kind
    return f"{kind}, {_limits(one.min_value, one.max_value)}"


def _limits(least: float | None, most: float | None) -> str:
    low = "" if least is None else f"from {least:g}"
    high = "" if most is None else f"to {most:g}"
    return f"{low} {high}".strip()


def options_page() -> str:
    """Return the page of all options of a picture, with their flags and where they can be given."""
    lines = [
        "# Options of a picture",
        "",
        _NOTE,
        "",
        "What the columns *In* mean: `/imagine` has the option, it can be",
    ]
    lines += ["a setting of a user, channel or server (`/settings`), the command line has it, the web page has it.", ""]
    lines += ["| Option | Flags | In | Default | Meaning |", "|---|---|---|---|---|"]
    settings = Settings()
    for one in (each for each in OPTIONS if each.flags or each.describe):
        flags = ", ".join(f"`{flag.syntax.written}`" for flag in one.flags)
        places = {"/imagine": one.slash, "/settings": one.saved, "command line": one.command_line, "page": one.page}
        default = one.default(settings)
        shown = "" if default is None else f"`{_short(str(default))}`"
        where = ", ".join(name for name, there in places.items() if there)
        lines.append(f"| `{one.name}` | {flags} | {where} | {shown} | {_cell(one.describe)} |")
    return "\n".join([*lines, ""])


def configuration_page() -> str:
    """Return the page of all sections and keys of the configuration."""
    comments = _comments()
    lines = ["# Configuration", "", _NOTE, ""]
    lines += [
        "Each key can also be set by an environment variable: `limits.max_steps` by `PASTELBOT_LIMITS__MAX_STEPS`.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += [f"## `[{name}]`", "", f"{(model.__doc__ or '').strip()}", ""]
            lines += ["| Key | Default | Limits | Meaning |", "|---|---|---|---|"]
            lines += [_key(name, key, model, comments) for key in model.model_fields]
            lines.append("")
    lines += ["## Tables with names of your own", "", "| Table | Its keys |", "|---|---|"]
    lines += [f"| `[{name}.NAME]` | {keys} |" for name, keys in _named_tables()]
    return "\n".join([*lines, ""])


def _key(section: str, key: str, model: type[BaseModel], comments: dict[tuple[str, str], str]) -> str:
    field = model.model_fields[key]
    default = field.default
    shown = "" if default is None else f"`{_short(str(list(default) if isinstance(default, tuple) else default))}`"
    said = (str(bound) for bound in field.metadata)
    limits = ", ".join(text for text in map(_limit, said) if text)
    return f"| `{key}` | {shown} | {limits} | {_cell(comments.get((section, key), ''))} |"


def _limit(bound: str) -> str:
    """Write a bound of pydantic, such as Ge(ge=1), as a comparison."""
    found = re.fullmatch(r"(Ge|Gt|Le|Lt)\(\w+=([\d.]+)\)", bound)
    return "" if found is None else {"Ge": "≥ ", "Gt": "> ", "Le": "≤ ", "Lt": "< "}[found[1]] + found[2]


def _named_tables() -> Iterator[tuple[str, str]]:
    yield "checkpoints", ", ".join(f"`{key}`" for key in MoreCheckpointSettings.model_fields)
    yield "sizes", ", ".join(f"`{key}`" for key in SizeSettings.model_fields)


def _comments() -> dict[tuple[str, str], str]:
    """Return the comments of config.example.toml by section and key."""
    found, section = dict[tuple[str, str], str](), ""
    for line in (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines():
        table, comment = _TABLE.match(line), _COMMENT.match(line)
        section = table["name"] if table else section
        if comment:
            found.setdefault((section, comment["key"]), comment["text"])
    return found


def command_line_page() -> str:
    """Return the page of all verbs of the command line."""
    lines = ["# Command line", "", _NOTE, ""]
    root = typer.main.get_command(app)
    for name, command in sorted(_verbs(root, "pastelbot")):
        lines += [f"## `{name}`", "", _cell((command.help or "").split("\n\n")[0]), ""]
        shown = [one for one in command.params if one.name != "help"]
        if shown:
            lines += ["| Parameter | Meaning |", "|---|---|"]
            lines += [f"| {_parameter(one)} | {_cell(getattr(one, 'help', None) or '')} |" for one in shown]
            lines.append("")
    return "\n".join([*lines, ""])


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
    for key, one in (inner or {}).items():
        yield from _verbs(one, f"{name} {key}")


def _parameter(one: Any) -> str:
    names = one.opts if one.param_type_name == "option" else [one.name.upper()]
    return ", ".join(f"`{name}`" for name in names)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<").replace("__", "\\_\\_")


def pages(tree: app_commands.CommandTree[discord.Client]) -> dict[str, str]:
    """Return the pages by the names of their files."""
    return {
        "commands.md": commands_page(tree),
        "options.md": options_page(),
        "configuration.md": configuration_page(),
        "command-line.md": command_line_page(),
    }


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = SimulatedServer(make_settings(Path(folder), tagger={"enabled": True}, web={"enabled": True}), Clock())
        await server.open()
        found = pages(server.bot.tree)
        await server.close()
    FOLDER.mkdir(exist_ok=True)
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
