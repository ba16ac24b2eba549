"""A feature is one module, four entries and two records, and tests find each one that is forgotten.

The project is copied as links, with a made-up feature in it: a command whose button works after a restart.
"""

import pytest
from helpers.project_copy import inserted, link_project, run_python, run_tests

pytestmark = pytest.mark.long

MODULE = '''
"""`/greet`: a greeting, and a button that greets again."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from discord import app_commands
from discord.ext import commands
from discord.ui import View

from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.context import Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, respond_ephemeral


class GreetButton(LastingButton, template=r"pb:greet:(?P<times>[0-9]+)"):
    """Greets once more."""

    readers: ClassVar[Mapping[str, Callable[[str], object]]] = {"times": int}

    def __init__(self, times: int) -> None:
        super().__init__(f"greet:{times}", "Greet again")
        self.times = times

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Greet."""
        await greet(interaction, self.times + 1)


class GreetCog(commands.Cog):
    """Greets."""

    @app_commands.command(name="greet")
    @answers_errors
    async def greet(self, interaction: Interaction) -> None:
        """Show a greeting."""
        await greet(interaction, 1)


async def greet(interaction: Interaction, times: int) -> None:
    """Answer with a greeting and the button."""
    view = View(timeout=None)
    view.add_item(GreetButton(times))
    await respond_ephemeral(interaction, f"Greeting number {times}.", view=view)


async def setup(bot: PastelClient) -> None:
    """Add the command and its button."""
    await bot.add_cog(GreetCog())
    bot.add_dynamic_items(GreetButton)
'''
WORKS = """
async def test_the_button_works_after_a_restart(studio):
    result = await studio.hana.slash(studio.channel, "greet")
    await studio.bot.close()
    await studio.restart()
    again = await studio.hana.click(result.response, label="Greet again")

    assert result.response.content == "Greeting number 1."
    assert again.response.content == "Greeting number 2."
    assert again.response.components[0]["components"][0]["custom_id"] == "pb:greet:2"
"""
TEXTS = """"Show a greeting." = "挨拶を表示します。"
"Greet again" = "もう一度"
"Greeting number {}." = "{0}回目の挨拶です。"
"""
COMMAND = '{"name": "greet", "type": 1, "name_localizations": {"ja": "挨拶"}, "dm_permission": true, "nsfw": false},\n'
FEATURE = {"pastelbot/bot/features/greet.py": MODULE, "tests/bot/features/test_greet.py": WORKS}
# The entries elsewhere, each with its places and what is written in front of them.
ENTRIES = {
    "pastelbot/bot/features/__init__.py": [
        ("    grid,\n    help,\n", "    greet,\n"),
        ("    grid,\n    presets,\n", "    greet,\n"),
    ],
    "tests/bot/data/custom_ids.json": [
        ('  {"name": "reroll"', '  {"name": "greet", "custom_id": "pb:greet:1", "meaning": "greet once more"},\n')
    ],
    "pastelbot/data/languages/ja.toml": [
        ('grid = "グリッド"\n', 'greet = "挨拶"\n'),
        ('"deleted a preset of" =', TEXTS),
    ],
    "pastelbot/bot/features/help/texts.py": [('        "Remix",\n', '        "greet",\n')],
    "tests/bot/data/commands.json": [('{"name": "grid"', COMMAND)],
    "docs/user-guide.md": [("| `/queue` |", "| `/greet` | Greets you |\n")],
}
CHECKS = (
    "tests/bot/test_buttons_out_there.py::test_every_button_is_of_exactly_one_kind",
    "tests/bot/test_guides.py",
    "tests/bot/test_commands_out_there.py",
    "tests/bot/features/test_help.py::test_help_lists_every_command_and_menu_that_one_may_use",
    "tests/i18n/test_languages.py::test_every_text_is_translated",
)


def with_feature(folder, entries):
    link_project(folder, FEATURE | {name: inserted(name, *ENTRIES[name]) for name in entries})


def test_a_feature_works_with_its_module_four_entries_and_two_records(tmp_path):
    with_feature(tmp_path, ENTRIES)
    linted = run_python(tmp_path, "-m", "ruff", "check", "--no-cache", "pastelbot/bot/features/greet.py")
    done = run_tests(tmp_path, "tests/bot/features/test_greet.py", *CHECKS)

    assert linted.returncode == 0, linted.stdout
    assert len([name for name in ENTRIES if not name.startswith("tests/")]) == 4
    assert len(ENTRIES) == 6
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("forgotten", ENTRIES)
def test_an_entry_that_is_forgotten_is_found(tmp_path, forgotten):
    with_feature(tmp_path, [name for name in ENTRIES if name != forgotten])
    done = run_tests(tmp_path, *CHECKS)

    assert done.returncode == 1, done.stdout
    assert "greet" in done.stdout
