"""The service's unit and the compose file start the bot as the guides say."""

import configparser
import re
import tomllib
from pathlib import Path

import yaml
from helpers.docs import read

ROOT = Path(__file__).parents[1]


def test_the_unit_runs_the_bot_and_lets_it_end_its_worker():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string((ROOT / "deploy" / "pastelbot.service").read_text(encoding="utf-8"))
    service = unit["Service"]

    assert service["ExecStart"].endswith("/.venv/bin/pastelbot run")
    assert service["ExecStart"].startswith(service["WorkingDirectory"])
    assert service["ReadWritePaths"] == service["WorkingDirectory"]
    assert (service["KillMode"], service["Restart"]) == ("mixed", "on-failure")
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_compose_file_is_the_container_of_the_dockerfile():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    bot = compose["services"]["bot"]

    assert bot["volumes"] == ["pastelbot:/state"]
    assert "pastelbot" in compose["volumes"]
    assert bot["read_only"]
    assert bot["restart"] == "unless-stopped"
    (device,) = bot["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_the_guide_has_a_page_for_each_platform():
    page = read("docs/platforms.md")

    for heading in ("Linux", "Docker", "Windows", "Mac", "Update", "Back up", "How long pictures are kept", "Size"):
        assert f"\n## {heading}" in page, heading
    for file in ("deploy/pastelbot.service", "compose.yaml"):
        assert file in page


def test_every_bundled_part_of_others_has_its_licence_in_the_wheel():
    named = set(re.findall(r"\]\(([\w-]+\.txt)\)", read("LICENSES/README.md")))
    files = {file.name for file in (ROOT / "LICENSES").glob("*.txt")}
    packaged = tomllib.loads(read("pyproject.toml"))["project"]["license-files"]

    assert named == files
    assert packaged == ["LICENSE", "LICENSES/*"]
