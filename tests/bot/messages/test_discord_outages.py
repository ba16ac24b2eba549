"""Outages of Discord, with the real HTTP client of discord.py against a server on the loopback: each has an end.

The simulator's errors reach the bot at once; here discord.py first does its own waiting and trying again.
"""

import json

import discord
import pytest
from aiohttp import web
from helpers.fake_executors import FakeExecutor
from helpers.jobs import insert_job
from helpers.support import eventually, make_settings

from pastelbot import app
from pastelbot.bot.messages.delivery import Delivery
from pastelbot.bot.messages.message_slot import Pace
from pastelbot.bot.messages.review_messages import ReviewMessages
from pastelbot.bot.render import Usual
from pastelbot.i18n.languages import Languages
from pastelbot.records import GenerationRequest, JobStatus, ReplyTarget
from pastelbot.store.jobs.store import JobStore

USER = {"id": "1", "username": "pastelbot", "discriminator": "0000", "avatar": None, "bot": True}
APPLICATION = {
    "id": "1",
    "name": "pastelbot",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "flags": 0,
    "owner": USER,
}
CHANNEL, MESSAGE = 20, 30
SHOWN = {
    "id": str(MESSAGE),
    "channel_id": str(CHANNEL),
    "author": USER,
    "content": "",
    "timestamp": "2026-11-28T12:00:00+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "type": 0,
    "components": [],
}


def answer(data, status=200):
    headers = {"Content-Type": "application/json", "Via": "1.1 google"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


class Discord:
    """A Discord with one message, whose next edits meet these faults."""

    def __init__(self):
        self.faults = []
        self.edits = 0
        self.shown = None

    async def handle(self, request):
        if request.method != "PATCH":
            return answer(APPLICATION if "applications" in request.path else USER)
        self.edits += 1
        content = await request.read()
        if self.faults:
            fault = self.faults.pop(0)
            if fault is None:
                request.transport.close()
                return web.Response()
            return answer(*fault)
        self.shown = content
        return answer(SHOWN)


@pytest.fixture
async def outage(monkeypatch):
    ours, application = Discord(), web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", ours.handle)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield ours
    await runner.cleanup()


@pytest.fixture
async def painted(tmp_path, clock, outage):
    """Return a function that has a job painted, whose message is there, and its end shown by a new delivery."""
    assert outage.edits == 0
    client = discord.Client(intents=discord.Intents.none())
    await client.login("a token of tests")
    executor = FakeExecutor()
    services = await app.open_services(make_settings(tmp_path), executor=executor, clock=clock)
    languages, jobs = Languages.shipped(), JobStore(services.database)
    reviews = ReviewMessages(client, services.jobs, services.reviews, languages)
    pace = Pace(edit_seconds=0.0, first_retry=0.01, longest_retry=0.05)
    usual = Usual(negative="", work=1)
    delivery = Delivery(client, services.jobs, reviews, languages, pace=pace, mention_after=3600.0, usual=usual)
    reply = ReplyTarget(channel_id=CHANNEL, message_id=MESSAGE, guild_id=10)
    request = GenerationRequest(prompt="1girl", width=64, height=64, seed=7)
    job = await insert_job(jobs, 1, request, reply, now=clock())
    await services.dispatcher.start(delivery.publish)
    await eventually(lambda: job.id in executor.painting)

    async def end(status):
        if status is JobStatus.DONE:
            executor.finish(job.id)
        else:
            await services.dispatcher.end(job.id, status, reason="of a test")

        async def shown():
            return (await jobs.get(job.id)).status is status and not await jobs.ends_not_shown()

        await eventually(shown)
        await eventually(lambda: not delivery.pending)

    yield end
    await services.dispatcher.close()
    await delivery.close()
    await services.database.close()
    await client.close()


LIMITED = {"message": "You are being rate limited.", "retry_after": 0.01, "global": False}


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((LIMITED, 429), id="429 for longer than discord.py waits"),
        pytest.param(({"message": "Service Unavailable", "code": 0}, 503), id="503 again and again"),
    ],
)
async def test_the_end_of_a_job_outlasts_an_outage(outage, painted, fault, status):
    outage.faults = [fault] * 12

    await painted(status)

    assert outage.edits == 13
    assert (b"pastelbot-7.png" in outage.shown) == (status is JobStatus.DONE)


async def test_a_long_rate_limit_is_waited_for_once_and_then_the_newest_is_shown(outage, painted):
    outage.faults = [({**LIMITED, "retry_after": 0.5}, 429)]

    await painted(JobStatus.DONE)

    assert outage.edits == 2


async def test_a_connection_that_breaks_in_the_middle_loses_nothing(outage, painted):
    outage.faults = [None] * 3

    await painted(JobStatus.DONE)

    assert b"pastelbot-7.png" in outage.shown
