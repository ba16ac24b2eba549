"""The docs name every flag, button and verb; tests/bot/test_guides.py holds commands."""

import re
from pathlib import Path

import pytest
from helpers.docs import read
from helpers.option_flags import SYNTAX

from pastelbot.bot.components.gallery_views import EntryButton
from pastelbot.bot.components.job_actions import ACTIONS
from pastelbot.bot.components.job_buttons import JobButton
from pastelbot.bot.features.imagine import ImagineCog
from pastelbot.bot.features.model import ModelCog
from pastelbot.cli.main import app
from pastelbot.config import Settings
from pastelbot.errors import install_command
from pastelbot.options.catalogue import BY_NAME, SETTINGS
from pastelbot.options.flags import options_from_prompt
from pastelbot.options.wildcards import load_wildcards

ROOT = Path(__file__).parent.parent


def test_the_user_guide_has_every_flag():
    guide = read("docs/user-guide.md")
    for flag in SYNTAX:
        assert re.search(rf"`--{flag.name}[ `]", guide), flag.name


PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))]
INSTALLING = re.compile(r"""(?:sudo -u pastelbot )?([^\s`]*pip install [^`\n]+)""")


@pytest.mark.parametrize("page", PAGES)
def test_the_guides_install_as_the_programs_texts_say(page):
    for found in INSTALLING.findall(read(page)):
        extra = found.partition('".[')[2].partition("]")[0]
        assert found.replace(".venv\\Scripts\\pip", ".venv/bin/pip") == install_command(extra)


def test_no_text_of_the_program_has_a_command_of_its_own_to_install_something():
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "pastelbot").rglob("*.py")}

    assert ["errors.py"] == [name for name, text in texts.items() if re.search(r"\bpip\b.*\binstall\b", text)]


def test_the_readme_is_read_without_scrolling_sideways():
    assert [line for line in read("README.md").splitlines() if len(line) > 120] == []


def test_what_the_guides_commands_write_is_not_for_git():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()

    assert "--out out.png" in read("README.md")
    assert "/out.png" in ignored


def section(page, heading):
    """Return a part of a page, up to the next heading."""
    return re.split(r"^#+ ", page.split(f"\n{heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """Return the rows of the tables in a text, without their headings."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [row for row in cells if row[0].startswith("`")]


def test_the_user_guides_table_of_imagine_is_that_of_the_options():
    table = rows(section(read("docs/user-guide.md"), "### `/imagine`"))
    command = ImagineCog.__cog_app_commands__[0]

    assert [f"`{parameter.name}`" for parameter in command.parameters] == [row[0] for row in table]
    for name, _meaning, default in table:
        option = BY_NAME.get(name.strip("`"))
        value = None if option is None else option.default(Settings())
        if value is not None and name != "`negative`":
            usual = {("`hires`", True): "on"}.get((name, value), f"{value:g}" if type(value) is float else str(value))
            assert usual == default.strip("`"), name


def test_the_user_guides_table_of_flags_is_that_of_the_options():
    table = rows(section(read("docs/user-guide.md"), "### Flags"))
    written = [each for row in table for each in re.findall(r"`(--[^`]+)`", row[0])]

    for flag in SYNTAX:
        assert any(each.startswith(flag.written) for each in written), flag.written
    for each in written:
        assert len(options_from_prompt(f"1girl {each}").set_fields()) > 1


def test_the_user_guide_lists_the_settings_as_the_table_has_them():
    sentence = section(read("docs/user-guide.md"), "## Settings").split(". ")[0]

    assert [f"`{name}`" for name in SETTINGS] == re.findall(r"`[a-z_]+`", sentence)


def test_the_user_guide_has_every_list_that_is_shipped():
    guide = read("docs/user-guide.md")
    assert all(f"`{name}`" in guide for name in load_wildcards(None).names)


def test_the_user_guide_has_every_button_of_the_gallery():
    guide = read("docs/user-guide.md")
    for verb in ("vote", "use", "infotext", "unshare"):
        assert f"| {EntryButton(verb, 1).item.label.removesuffix(' (0)')} |" in guide


# Buttons of the questions that others ask; they are described there.
ASKED = ("subtle", "strong", "faithful", "creative", "remove", "corrected")


def test_the_user_guide_has_every_button():
    guide = read("docs/user-guide.md")
    for verb in (*ACTIONS, "vary"):
        label = JobButton(verb, "0" * 12).item.label
        assert f"| {label} |" in guide or (verb in ASKED and label in guide)


def test_the_user_guide_has_the_models():
    guide = read("docs/user-guide.md")
    for command in ModelCog.__cog_app_commands__:
        assert f"`/model {command.name}`" in guide
        assert all(f"`{parameter.name}`" in guide for parameter in command.parameters)


def verbs(group, start="pastelbot"):
    """Yield every command with those before it, such as `pastelbot lora merge`."""
    for command in group.registered_commands:
        yield f"{start} {command.name or command.callback.__name__}"
    for inner in group.registered_groups:
        yield from verbs(inner.typer_instance, f"{start} {inner.name}")


def test_the_guides_have_every_verb():
    guides = read("docs/operator-guide.md") + read("docs/workshop.md")
    found = list(verbs(app))

    assert "pastelbot recipe run" in found
    for verb in found:
        assert f"`{verb}" in guides


def test_the_readme_leads_to_a_running_bot_in_six_commands():
    """The last of them is `run`, and each of pastelbot's is one that there is."""
    block = section(read("README.md"), "## Run it on your server").split("```")[1]
    lines = block.strip().splitlines()
    own = [line.removeprefix(".venv/bin/") for line in lines if line.startswith(".venv/bin/pastelbot ")]

    assert len(lines) <= 6
    assert set(own) <= set(verbs(app))
    assert lines[-1] == ".venv/bin/pastelbot run"


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) < 150


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md")), ids=str)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", read(page)):
        assert (ROOT / page.parent / target).exists(), target


def test_the_first_hour_names_tests_that_are_there():
    named = re.findall(r"`(tests/[\w/]+\.py)`", read("docs/first-hour.md"))
    there = [(ROOT / path).is_file() for path in named]

    assert len(named) > 40
    assert all(there)
