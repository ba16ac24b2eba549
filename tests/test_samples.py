"""What the guides say to type can be typed: the commands have these options, and the settings are read."""

import re
import tomllib

import typer
from helpers.docs import ROOT, read

from pastelbot.cli.main import app
from pastelbot.config import Settings
from pastelbot.workshop.recipes.steps import read_step

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?pastelbot ([a-z][^`\n]*)", re.MULTILINE)
EXTRAS = re.compile(r"""["']\.\[([a-z,]+)\]|install_command\("([a-z]+)"\)""")
SETTING = re.compile(r"`([a-z]+)\.([a-z_]+) = ([^`]+)`")


def unknown(line):
    """Return the verb or the options of a command line that do not exist."""
    command, words = typer.main.get_command(app), re.sub(r"[\[\]]", " ", line).split()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "--config"}
    wrong = [word for word in words if word.startswith("--") and word not in known]
    verb = words and not words[0].startswith("--") and getattr(command, "commands", {})
    return [line] if verb else wrong


def test_every_command_line_has_a_verb_and_options_that_exist():
    lines = [(page, line) for page in PAGES for line in COMMAND.findall(read(page))]

    assert len(lines) > 40
    for page, line in lines:
        assert unknown(line) == [], page


def test_an_option_or_a_verb_that_is_not_there_is_found():
    assert unknown("merge A B OUT --wait 1") == ["--wait"]
    assert unknown("paint") == ["paint"]
    assert unknown("db repair") == ["db repair"]


def test_every_setting_that_is_named_with_a_value_is_read():
    found = [each for page in PAGES for each in SETTING.findall(read(page))]

    assert len(found) > 5
    for section, key, value in found:
        Settings.model_validate({section: {key: tomllib.loads(f"value = {value}")["value"]}})


def blocks(page, language):
    """Return the fenced samples of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)


def test_every_table_of_the_guides_is_a_configuration_or_a_recipe():
    found = [(page, block) for page in PAGES for block in blocks(page, "toml")]

    assert len(found) > 2
    for page, block in found:
        table = tomllib.loads(block)
        if page == "docs/workshop.md":
            assert [read_step(name, step).name for name, step in table["steps"].items()] == list(table["steps"])
        else:
            Settings.model_validate(table)


def test_every_python_sample_is_a_part_of_the_example_that_the_tests_of_the_export_run():
    example = read("pastelbot/workshop/export/jax_readme.md")
    found = [block for page in PAGES for block in blocks(page, "python")]

    assert found
    for block in found:
        assert block in example


def test_every_extra_that_a_text_tells_to_install_exists():
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    texts = [read(page) for page in PAGES] + [path.read_text() for path in (ROOT / "pastelbot").rglob("*.py")]
    named = {extra for text in texts for each in EXTRAS.findall(text) for extra in "".join(each).split(",")}

    assert len(named) > 5
    assert named <= set(extras)
