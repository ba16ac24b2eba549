"""The container's recipe: no root user, and nothing written outside the volume."""

import json
from pathlib import Path

from typer.testing import CliRunner

from pastelbot.cli.main import app

DOCKERFILE = (Path(__file__).parents[1] / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LINES = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def arguments(instruction):
    return [rest for name, rest in LINES if name == instruction]


def test_the_base_image_is_pinned_to_a_release_of_its_system():
    variables = dict(line.split("=", 1) for line in arguments("ARG"))
    image = variables["BASE"]

    assert arguments("FROM") == ["${BASE}"]
    assert image.startswith("python:3.11")
    assert not image.endswith(("latest", "-slim"))


def test_the_program_does_not_run_as_root():
    assert ["USER", "pastelbot"] in LINES
    assert LINES.index(["USER", "pastelbot"]) < [name for name, _ in LINES].index("CMD")


def test_the_configuration_is_looked_for_on_the_volume():
    assert arguments("WORKDIR")[-1] == "/state"


def test_everything_that_is_written_is_on_the_volume():
    variables = dict(part.split("=", 1) for line in arguments("ENV") for part in line.split())
    folders = [value for value in variables.values() if "/" in value]

    assert arguments("VOLUME") == ["/state"]
    assert {"TMPDIR", "HF_HOME", "PASTELBOT_STORAGE__DATABASE"} <= variables.keys()
    assert all(folder.startswith("/state/") for folder in folders)


def test_the_program_gets_the_signals_itself():
    (entry,) = arguments("ENTRYPOINT")

    assert 'exec pastelbot \\"$@\\"' in entry
    assert arguments("CMD") == ['["run"]']
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


def test_the_container_asks_the_bot_how_it_is_without_other_programs():
    (check,) = arguments("HEALTHCHECK")
    command = json.loads(check[check.index("[") :])

    assert command == ["pastelbot", "health"]
    assert CliRunner().invoke(app, [*command[1:], "--help"]).exit_code == 0
