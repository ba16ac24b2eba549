"""The guides have everything that the bot gives Discord: whatever is added later, too."""

from pathlib import Path

import discord
from discord import app_commands

DOCS = Path(__file__).parent.parent.parent / "docs"


def commands(tree):
    """Yield the full name of every command and menu with the names of its options."""
    for kind in discord.AppCommandType:
        for command in tree.get_commands(type=kind):
            if isinstance(command, app_commands.ContextMenu):
                yield f"Apps > {command.name}", []
                continue
            inner = command.walk_commands() if isinstance(command, app_commands.Group) else [command]
            for leaf in inner:
                if isinstance(leaf, app_commands.Command):
                    yield f"/{leaf.qualified_name}", [parameter.display_name for parameter in leaf.parameters]


async def test_the_guides_have_every_command_menu_and_option(studio):
    found = dict(commands(studio.bot.tree))
    members, operators = [(DOCS / f"{name}-guide.md").read_text(encoding="utf-8") for name in ("user", "operator")]

    assert {"/imagine", "/admin words add", "/settings server house", "Apps > Remix"} <= set(found)
    for name, options in found.items():
        guide = operators if name.startswith("/admin") else members
        assert f"`{name}`" in guide or f"`{name} " in guide or f"*{name}*" in guide, name
        assert [option for option in options if f"`{option}`" not in guide] == [], name
