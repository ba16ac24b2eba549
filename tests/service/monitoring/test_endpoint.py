"""The server of /healthz and /metrics, and the command that asks it."""

import asyncio

import aiohttp
import pytest
from structlog.testing import capture_logs

from pastelbot.cli.health import ask
from pastelbot.config import MonitoringSettings
from pastelbot.service.monitoring.endpoint import Endpoint
from pastelbot.service.monitoring.health import HealthReport
from pastelbot.service.monitoring.metrics import Metrics

WELL = HealthReport(discord="ok", painting="ok", database="ok")
ILL = HealthReport(discord="not connected for 130 s", painting="ok", database="ok")


def make(report=WELL, port=0):
    async def look():
        return report

    return Endpoint(host="127.0.0.1", port=port, report=look, metrics=Metrics().text)


@pytest.fixture
async def open_endpoint():
    opened = []

    async def start(report=WELL, port=0):
        opened.append(make(report, port))
        await opened[-1].start()
        return opened[-1].address

    yield start
    for endpoint in opened:
        await endpoint.close()


async def get(address):
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


def asked(address):
    return asyncio.to_thread(ask, MonitoringSettings(port=int(address.rpartition(":")[2])))


@pytest.mark.parametrize(("report", "status", "word"), [(WELL, 200, '"ok"'), (ILL, 503, '"failing"')])
async def test_healthz_says_how_the_bot_is_by_its_status_and_part_by_part(open_endpoint, report, status, word):
    answer = await get(f"{await open_endpoint(report)}/healthz")

    assert answer[:2] == (status, "application/json; charset=utf-8")
    assert f'"status": {word}, "discord": "{report.discord}"' in answer[2]


async def test_metrics_are_in_prometheus_text_format(open_endpoint):
    status, kind, text = await get(f"{await open_endpoint()}/metrics")

    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "# TYPE pastelbot_wait_seconds histogram" in text


async def test_nothing_else_is_served(open_endpoint):
    status, _kind, _text = await get(f"{await open_endpoint()}/")

    assert status == 404


async def test_a_port_that_is_taken_is_logged_and_stops_nothing(open_endpoint):
    port = int((await open_endpoint()).rpartition(":")[2])
    with capture_logs() as logs:
        assert await open_endpoint(port=port) == ""

    assert [(entry["event"], entry["port"]) for entry in logs] == [("no /healthz and /metrics", port)]


async def test_the_command_says_what_the_bot_says(open_endpoint):
    lines, healthy = await asked(await open_endpoint())
    assert (lines[:2], healthy) == (["status: ok", "discord: ok"], True)
    lines, healthy = await asked(await open_endpoint(ILL))

    assert (lines[:2], healthy) == (["status: failing", "discord: not connected for 130 s"], False)


async def test_the_command_finds_a_bot_that_is_gone_unhealthy():
    endpoint = make()
    await endpoint.start()
    await endpoint.close()
    ((line,), healthy) = await asked(endpoint.address)

    assert not healthy
    assert line.endswith("Is the bot running?")


def test_where_nothing_is_served_there_is_nothing_to_ask():
    assert ask(MonitoringSettings(port=0)) == (["not asked: monitoring.port is 0"], True)
