"""The service's unit and the compose file start the bot as the guides say."""

import configparser
import json
import re
import tomllib
from pathlib import Path

import yaml
from helpers.docs import read

from pastelbot.config import MonitoringSettings

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


MONITORING = ROOT / "deploy" / "monitoring"


def test_the_compose_file_names_releases_and_files_that_are_there():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]

    assert set(services) == {"bot", "prometheus", "grafana"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        assert name == "bot" or re.search(r":v?\d+\.\d+\.\d+$", service["image"])
        assert (name == "bot") == ("profiles" not in service)
        for source in (volume.split(":")[0] for volume in service["volumes"]):
            assert (ROOT / source).is_file() if source.startswith("./") else source in compose["volumes"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_prometheus_asks_the_bot_where_it_answers():
    scraped = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    ((target,),) = [each["targets"] for each in scraped[0]["static_configs"]]
    name, port = target.split(":")

    assert name in compose["services"]
    assert int(port) == MonitoringSettings().port
    assert "PASTELBOT_MONITORING__HOST" in compose["services"][name]["environment"]


def test_grafana_reads_from_that_prometheus():
    (source,) = yaml.safe_load((MONITORING / "datasources.yaml").read_text(encoding="utf-8"))["datasources"]
    (provider,) = yaml.safe_load((MONITORING / "dashboards.yaml").read_text(encoding="utf-8"))["providers"]
    board = json.loads((MONITORING / "pastelbot.json").read_text(encoding="utf-8"))
    mounts = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["grafana"]["volumes"]

    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
    assert f"./deploy/monitoring/pastelbot.json:{provider['options']['path']}/pastelbot.json:ro" in mounts
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_dashboard_shows_metrics_that_the_guide_explains():
    """tests/bot/test_monitoring.py compares both with what the bot serves."""
    board = json.loads((MONITORING / "pastelbot.json").read_text(encoding="utf-8"))
    shown = set(re.findall(r"pastelbot_[a-z_]+", json.dumps([panel["targets"] for panel in board["panels"]])))
    explained = set(re.findall(r"`(pastelbot_[a-z_]+)", read("docs/operator-guide.md")))

    assert {re.sub("_(bucket|count)$", "", name) for name in shown} == explained
