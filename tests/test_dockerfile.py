"""The container's recipe: no root user, and nothing written outside the volume."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pastelbot.cli.main import app

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
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


def test_everything_that_is_copied_is_there_and_nothing_is_fetched_or_raised():
    for line in arguments("COPY"):
        *sources, _target = line.split()
        assert all((ROOT / source).exists() for source in sources)

    assert arguments("ADD") == []
    assert all("sudo" not in line and "chmod 777" not in line for line in arguments("RUN"))
    assert [line for line in arguments("RUN") if "pip install" in line and "--no-cache-dir" not in line] == []


@pytest.fixture
def run_in_container(tmp_path):
    """Return a function that runs the container's entry point with a folder of its own as the volume."""
    state = tmp_path / "state"
    state.mkdir()
    variables = dict(part.split("=", 1) for line in arguments("ENV") for part in line.split())
    moved = {name: value.replace("/state", str(state)) for name, value in variables.items()}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def run(*words):
        command = [*json.loads(arguments("ENTRYPOINT")[0]), *words]
        environment = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **moved}
        return subprocess.run(command, cwd=state, env=environment, capture_output=True, text=True, check=False)

    return run, state


def test_the_containers_commands_run_and_write_on_the_volume_alone(run_in_container):
    run, state = run_in_container
    stats, health, refused = run("tags", "stats"), run("health"), run("run")

    assert stats.returncode == 0, stats.stderr
    assert {path.name for path in state.iterdir()} >= {"tmp", "pastelbot.sqlite3"}
    assert health.returncode == 1
    assert "Is the bot running?" in health.stdout
    assert refused.returncode == 2
    assert "PASTELBOT_TOKEN" in refused.stderr
    assert [path.name for path in state.parent.iterdir()] == ["state"]
