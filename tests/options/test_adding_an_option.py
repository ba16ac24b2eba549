"""An option is added in five files, and the tests of the table find each of them that is forgotten.

The package is copied as links, with a made-up option in the five files, and programs run beside it.
"""

import pytest
from helpers.project_copy import inserted, link_project, run_python, run_tests

pytestmark = pytest.mark.long

# The files, each with a place and what is written in front of it.
CHANGES = {
    "records/requests.py": ("    clip_skip: int = 2\n", "    glow: int = 0\n"),
    "options/generation_options.py": ("    clip_skip: int | None = None\n", "    glow: int | None = None\n"),
    "options/catalogue.py": (
        '    Option(\n        name="clip_skip",\n',
        """    Option(
        name="glow",
        value_type=int,
        describe="How much it glows",
        flags=(whole_flag("glow", 2),),
        saved=True,
        default=lambda _settings: 0,
        request_field="glow",
    ),
""",
    ),
    "rules/plain_fields.py": (
        '    PlainField(name="clip_skip"',
        '    PlainField(name="glow", title="Glow", absent=0, least=0, most=9),\n',
    ),
    "diffusion/engine/prompt_encoding.py": (
        "        clip_skip, emphasis = request.clip_skip, request.emphasis\n",
        "        assert request.glow >= 0\n",
    ),
}
WORKS = """
from typer.main import get_command
from pastelbot.bot.features.imagine import ImagineCog
from pastelbot.bot.features.settings.texts import settings_text
from pastelbot.cli.main import app
from pastelbot.config import LimitSettings, Settings
from pastelbot.infotext import format_infotext, read_request
from pastelbot.options import GenerationOptions, draft
from pastelbot.options.catalogue import SETTINGS
from pastelbot.options.flags import options_from_prompt
from pastelbot.rules import grids
from pastelbot.service.requests.preferences import EffectiveDefaults
from pastelbot.service.requests.presets import options_of

typed = options_from_prompt("1girl --glow 3")
request = draft(typed, Settings(), random_seed=int)
none = GenerationOptions()
defaults = EffectiveDefaults(own=GenerationOptions(glow=4), channel=none, server=none)
command = ImagineCog.__cog_app_commands__[0]
assert command.get_parameter("glow").description == "How much it glows"
assert "--glow" in {name for option in get_command(app).commands["imagine"].params for name in option.opts}
assert "glow" in SETTINGS
assert "`glow` 4 \\u2014 set by you" in settings_text(defaults, Settings())
assert typed.merged_over(defaults.merged).glow == 3 == request.glow
assert options_of(request, keep_seed=False).glow == 3
assert "Glow: 3" in format_infotext(request, checkpoint="a", checkpoint_hash="b")
assert [label for label in grids.labels(grids.read_axis("glow", "1-2"))] == ["Glow: 1", "Glow: 2"]
"""


def with_changes(folder, files, changes=CHANGES):
    """Make a copy of the project with these of the changed files."""
    names = {name: f"pastelbot/{name}" for name in files}
    link_project(folder, {names[name]: inserted(names[name], changes[name]) for name in files})


def of_another_type(name, usual, flag):
    """Return the changes for an option that is no whole number."""
    found = {
        file: (place, text.replace("int", name).replace(f": {name} = 0", f": {name} = {usual}"))
        for file, (place, text) in CHANGES.items()
    }
    place, row = found["options/catalogue.py"]
    row = row.replace('whole_flag("glow", 2)', flag).replace("_settings: 0", f"_settings: {usual}")
    return {**found, "options/catalogue.py": (place, row)}


def table_tests(folder):
    """Run the tests of the table beside a copy."""
    return run_tests(folder, "tests/options/test_catalogue.py")


def test_an_option_works_everywhere_after_changes_to_five_files(tmp_path):
    with_changes(tmp_path, CHANGES)

    assert len(CHANGES) == 5
    assert run_python(tmp_path, "-c", WORKS).stderr == ""
    done = table_tests(tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("forgotten", CHANGES)
def test_a_file_that_is_forgotten_is_found(tmp_path, forgotten):
    with_changes(tmp_path, [name for name in CHANGES if name != forgotten])

    done = table_tests(tmp_path)
    assert done.returncode != 0, done.stdout
    assert "glow" in done.stdout


def test_a_fraction_is_read_back_from_an_infotext_as_it_was(tmp_path):
    """Whether a number is whole is said once, by the record's type."""
    changes = of_another_type("float", "0.0", 'number_flag("glow", 2.0)')
    with_changes(tmp_path, changes, changes)

    done = table_tests(tmp_path)
    assert done.returncode == 0, done.stdout


def test_an_option_that_is_on_or_off_and_in_no_infotext_is_found(tmp_path):
    changes = of_another_type("bool", "False", 'switch_flag("glow", on=True)')
    with_changes(tmp_path, [name for name in changes if name != "rules/plain_fields.py"], changes)

    done = table_tests(tmp_path)
    assert "test_what_a_request_says_survives_its_infotext" in done.stdout, done.stdout
    assert "test_a_row_fits_the_records" not in done.stdout
