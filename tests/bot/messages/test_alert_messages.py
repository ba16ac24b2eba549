"""Alerts in the operator's channel, and what is heard of Discord's answers."""

import aiohttp
import pytest
from aiohttp import web
from helpers.support import make_settings

from pastelbot.bot.messages.alert_messages import answers_to


@pytest.fixture
async def studio(open_studio):
    """Return a studio whose operator's channel is `ops`; it is made before the bot that has it in its settings."""
    studio = await open_studio()
    studio.ops = studio.guild.create_text_channel("ops")
    return studio


async def with_alerts(studio, channel_id):
    """Restart the bot with a channel for alerts."""
    await studio.bot.close()
    studio.settings = studio.settings.model_copy(
        update={"alerts": studio.settings.alerts.model_copy(update={"channel": channel_id})}
    )
    await studio.restart()


def told(studio):
    return [message.content for message in studio.ops.history(viewer=studio.mod)]


async def test_a_lost_worker_is_told_once(studio):
    await with_alerts(studio, studio.ops.id)
    studio.executor.die("CUDA *error* of @everyone")
    watch = studio.bot.services.monitor.watch
    await watch.look()
    await watch.look()

    (text,) = told(studio)
    assert text.startswith("⚠️ **The worker was lost**\nIt ended once and is started again.")
    assert "CUDA \\*error\\*" in text
    assert "@everyone" not in text


async def test_a_restart_tells_nothing_again(studio):
    await with_alerts(studio, studio.ops.id)
    for _ in range(2):
        studio.executor.die("it was killed")
        await studio.bot.services.monitor.watch.look()
        await studio.bot.close()
        await studio.restart()

    assert len(told(studio)) == 1


async def test_a_channel_that_is_not_there_stops_nothing(studio):
    await with_alerts(studio, 12345)
    studio.executor.die("it was killed")
    await studio.bot.services.monitor.watch.look()
    studio.executor.ready()
    result = await studio.imagine()

    assert (await studio.finish()).id == result.response.id


def test_without_a_channel_there_are_no_alerts(tmp_path):
    assert make_settings(tmp_path).alerts.channel is None


async def test_the_status_of_every_answer_is_heard():
    async def handle(request):
        return web.Response(status=int(request.match_info["status"]))

    server = web.Application()
    server.router.add_get("/{status}", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    heard = []
    async with aiohttp.ClientSession(trace_configs=[answers_to(heard.append)]) as session:
        for status in (200, 403, 502):
            await (await session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/{status}")).read()
    await runner.cleanup()

    assert heard == [200, 403, 502]
