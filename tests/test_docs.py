"""The docs name every command, button and verb."""

import re
from pathlib import Path

import pytest

from pastelbot.bot.cogs.imagine import ImagineCog
from pastelbot.bot.cogs.info import InfoCog
from pastelbot.bot.views.actions import ACTIONS, STRENGTHS
from pastelbot.bot.views.buttons import JobButton
from pastelbot.cli import app

ROOT = Path(__file__).parent.parent


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_user_guide_has_every_slash_command_and_option():
    guide = read("docs/user-guide.md")
    for command in (*ImagineCog.__cog_app_commands__, *InfoCog.__cog_app_commands__):
        assert f"`/{command.name}`" in guide
        for parameter in command.parameters:
            assert f"| `{parameter.name}` |" in guide


def test_the_user_guide_has_every_button():
    guide = read("docs/user-guide.md")
    for verb in (*ACTIONS, "vary"):
        label = JobButton(verb, "0" * 12).item.label
        assert f"| {label} |" in guide or (verb in STRENGTHS and label in guide)


def test_the_operator_guide_has_every_verb():
    guide = read("docs/operator-guide.md")
    for command in app.registered_commands:
        assert f"`pastelbot {command.callback.__name__}" in guide


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) < 150


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md")), ids=str)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", read(page)):
        assert (ROOT / page.parent / target).exists(), target
