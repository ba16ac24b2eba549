"""What the running bot counts, and how it is, as its operator's monitoring reads it."""

import re
import socket
from pathlib import Path

import aiohttp
import pytest
from helpers.support import eventually
from prometheus_client.parser import text_string_to_metric_families

from pastelbot.records import PaintingFailed


class Scraper:
    """Reads what a bot serves."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    async def health(self):
        async with aiohttp.ClientSession() as session, session.get(f"{self.address}/healthz") as answer:
            return answer.status, await answer.json()

    async def metrics(self):
        async with aiohttp.ClientSession() as session, session.get(f"{self.address}/metrics") as answer:
            families = list(text_string_to_metric_families(await answer.text()))
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def port():
    """Return a port that is free just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
async def studio(open_studio, port):
    studio = await open_studio(monitoring={"port": port})
    studio.scraper = Scraper(port)
    return studio


async def test_a_running_bot_is_healthy_and_says_when_painting_is_interrupted(studio):
    assert await studio.scraper.health() == (
        200,
        {"status": "ok", "discord": "ok", "painting": "ok", "database": "ok"},
    )
    await studio.bot.services.database.close()
    status, report = await studio.scraper.health()

    assert (status, report["status"]) == (503, "failing")
    assert report["database"] != "ok"


async def test_the_queue_is_counted(studio):
    for _ in range(6):
        await studio.imagine()
    await studio.painting(4)
    found = await studio.scraper.metrics()

    assert (found["pastelbot_queue_jobs",], found["pastelbot_running_jobs",]) == (2, 4)
    assert found["pastelbot_worker_ready",] == 1
    assert found["pastelbot_database_bytes",] > 0
    assert found["pastelbot_disk_free_bytes",] > 0


async def test_waits_and_painting_are_measured(studio):
    studio.executor.die()
    await studio.imagine()
    studio.clock.advance(seconds=40)
    studio.executor.ready()
    await studio.painting()
    await studio.finish()
    found = await studio.scraper.metrics()

    assert found["pastelbot_wait_seconds_sum",] == 40
    assert (found["pastelbot_wait_seconds_count",], found["pastelbot_paint_seconds_count",]) == (1, 1)
    assert found["pastelbot_worker_restarts_total",] == 1


async def test_failures_are_counted_by_kind(studio):
    result = await studio.imagine()
    for _ in range(2):
        await studio.painting()
        studio.executor.die("the worker ran out of memory")
        studio.executor.ready()
    await studio.says("ran out of memory", result.response.id)
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.executor.emit(PaintingFailed(job_id=job_id, reason="there is no LoRA 'x'"))
    await studio.says("there is no LoRA", result.response.id)
    found = await studio.scraper.metrics()

    assert found["pastelbot_failures_total", "worker_lost"] == 1
    assert found["pastelbot_failures_total", "refused"] == 1
    assert found["pastelbot_failures_total", "not_shown"] == 0


async def test_a_gateway_that_stays_away_is_no_health(studio):
    studio.bot.dispatch("shard_disconnect", 0)
    await eventually(lambda: unhealthy_in_time(studio))
    studio.bot.dispatch("shard_resumed", 0)

    await eventually(lambda: healthy(studio))


async def healthy(studio):
    return (await studio.scraper.health())[0] == 200


async def unhealthy_in_time(studio):
    studio.clock.advance(seconds=60)
    return not await healthy(studio)


async def test_the_shipped_dashboard_shows_what_is_served(studio):
    await studio.imagine()
    board = (Path(__file__).parents[2] / "deploy" / "monitoring" / "pastelbot.json").read_text(encoding="utf-8")
    served = {name for name, *_labels in await studio.scraper.metrics()}
    shown = set(re.findall(r"(?:pastelbot|process)_[a-z_]+", " ".join(re.findall(r'"expr": "(.*)"', board))))

    assert shown <= served
