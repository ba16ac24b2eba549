"""The project's documentation, and the commands that it must name."""

from pathlib import Path

from discord import app_commands

ROOT = Path(__file__).parents[2]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def leaves(command, start=""):
    """Yield the full names and the options of a command, or of all commands of a group."""
    name = f"{start}/{command.name}" if not start else f"{start} {command.name}"
    if isinstance(command, app_commands.Group):
        for inner in command.commands:
            yield from leaves(inner, name)
    else:
        yield name, [parameter.name for parameter in command.parameters]
