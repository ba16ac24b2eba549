"""The real discord.py against a Discord of our own on the loopback: start, wrong token, no server, SIGTERM."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import discord
import pytest
from aiohttp import web
from helpers.fake_executors import FakeExecutor
from helpers.jobs import insert_job
from helpers.support import PATIENCE, eventually, make_settings
from pydantic import SecretStr
from structlog.testing import capture_logs
from yarl import URL

from pastelbot import app, run
from pastelbot.errors import ConfigError, DatabaseError, StartupError
from pastelbot.records import GenerationRequest, JobStatus, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.maintenance.exclusive_use import exclusive_use

TOKEN = "a-token.of.tests"  # noqa: S105 - that is all it is
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


LIMIT = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}


class Loopback:
    """A Discord that knows one token, takes commands, and never opens its gateway."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.closing = asyncio.Event()
        self.limiting = asyncio.Event()
        self.commands = []
        self.takes_commands = True
        self.port = self.gateway_port = 0

    async def handle(self, request):
        if request.headers.get("Authorization", f"Bot {TOKEN}") != f"Bot {TOKEN}":
            return answer({"message": "401: Unauthorized", "code": 0}, 401)
        path = request.path
        if path == "/gateway":
            self.asked.set()
            await self.closing.wait()
            return web.Response(status=503)
        if request.method == "DELETE":
            self.limiting.set()
            return answer({"message": "You are being rate limited.", "retry_after": 600.0, "global": False}, 429)
        if request.method == "PUT" and not self.takes_commands:
            return answer({"message": "Missing Access", "code": 50001}, 403)
        if request.method == "PUT":
            self.commands = await request.json()
        answers = {
            "/gateway/bot": {
                "url": f"ws://127.0.0.1:{self.gateway_port or self.port}/gateway",
                "shards": 1,
                "session_start_limit": LIMIT,
            }
        }
        answers |= {"/users/@me": USER, "/oauth2/applications/@me": APPLICATION, "/applications/1/commands": []}
        return answer(answers[path])


def answer(data, status=200):
    """Answer as Discord does; discord.py reads JSON only where the content type has no charset."""
    headers = {"Content-Type": "application/json", "Via": "1.1 google"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


def send_to(monkeypatch, api_port):
    """Let discord.py talk to ports of this machine."""
    gateway = URL(f"ws://127.0.0.1:{api_port}/gateway")
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{api_port}")
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)


@pytest.fixture
def deaf_port():
    """Return a port without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
async def loopback(monkeypatch):
    """Serve, and send discord.py there."""
    discord_of_ours = Loopback()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", discord_of_ours.handle)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    discord_of_ours.port = runner.addresses[0][1]
    send_to(monkeypatch, discord_of_ours.port)
    yield discord_of_ours
    discord_of_ours.closing.set()
    await runner.cleanup()


@pytest.fixture
def executor(monkeypatch):
    fake = FakeExecutor()
    monkeypatch.setattr(app, "make_workers", lambda _options: [fake])
    return fake


@pytest.fixture
def with_token(settings):
    def with_token(token=TOKEN, **changes):
        return settings.model_copy(update={"token": SecretStr(token), **changes})

    return with_token


@pytest.fixture
async def sigterm(monkeypatch):
    """Return a function that does what the loop is asked to do at SIGTERM; real ones go to processes of their own."""
    handlers = {}
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", handlers.__setitem__)

    def stop():
        handlers[signal.SIGTERM]()

    return stop


async def test_it_starts_and_sigterm_closes_everything(loopback, executor, with_token, sigterm):
    settings = with_token()
    running = asyncio.ensure_future(run.run_until_stopped(settings))
    async with asyncio.timeout(PATIENCE):
        await loopback.asked.wait()
        sigterm()
        await running

    assert {command["name"] for command in loopback.commands} >= {"imagine", "queue", "quota", "help"}
    assert executor.closed
    assert settings.storage.pictures.is_dir()


STOPPED = """
import sys, threading, time
from pathlib import Path
import discord
from pydantic import SecretStr
from yarl import URL
from helpers.fake_executors import FakeExecutor
from helpers.support import make_settings
from pastelbot import app, run

port, token, folder, hangs = sys.argv[1:]
discord.http.Route.BASE = f"http://127.0.0.1:{port}"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(f"ws://127.0.0.1:{port}/gateway")
app.ProcessExecutor = lambda _options: FakeExecutor()
if hangs:
    threading.Thread(target=time.sleep, args=(3600,)).start()
run.run(make_settings(Path(folder), worker={"stop_seconds": 2}).model_copy(update={"token": SecretStr(token)}))
"""


@pytest.fixture
async def stopping(loopback, settings, tmp_path):
    """Return a function that runs a real bot, whose deletion of a message meets a rate limit of ten minutes."""
    database = await Database.open(settings.storage.database)
    reply = ReplyTarget(channel_id=2, message_id=3, guild_id=4)
    job = await insert_job(JobStore(database), 1, GenerationRequest(prompt="1girl"), reply, now=datetime.now(UTC))
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO erasures (message_id, channel_id) VALUES (5, 6)")
    await database.close()

    async def sigterm(*, hangs):
        arguments = ["-c", STOPPED, str(loopback.port), TOKEN, str(tmp_path), hangs]
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env={**os.environ, "PYTHONPATH": path}, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await loopback.limiting.wait()
                process.send_signal(signal.SIGTERM)
                _, output = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return process.returncode, output.decode(), job.id

    return sigterm


@pytest.mark.parametrize("hangs", ["", "a thread"])
async def test_sigterm_ends_it_whatever_discord_does_and_whatever_hangs(stopping, settings, hangs):
    code, output, job_id = await stopping(hangs=hangs)

    assert code == 0
    assert "not finished in time" in output
    assert ("ended by force" in output) == bool(hangs)
    database = await Database.open(settings.storage.database)
    job = await JobStore(database).get(job_id)
    await database.close()
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)


@pytest.mark.usefixtures("executor")
async def test_a_second_bot_on_one_database_is_refused_before_it_touches_anything(loopback, with_token):
    settings = with_token()
    running = asyncio.ensure_future(run.run_until_stopped(settings))
    async with asyncio.timeout(PATIENCE):
        await loopback.asked.wait()
    loopback.commands = []

    with pytest.raises(DatabaseError, match=f"in use by another bot.*process {os.getpid()} on"):
        await run.run_until_stopped(settings)

    assert loopback.commands == []
    running.cancel()
    await running
    with exclusive_use(settings.storage.database):
        pass


@pytest.mark.usefixtures("executor")
async def test_a_wrong_token_is_reported_in_a_sentence_that_does_not_repeat_it(loopback, with_token):
    with pytest.raises(ConfigError, match="Discord does not accept the token") as caught:
        await run.run_until_stopped(with_token("wrong-token"))

    assert "wrong-token" not in str(caught.value)
    assert not loopback.asked.is_set()


@pytest.mark.usefixtures("executor")
async def test_an_unreachable_discord_is_reported(monkeypatch, deaf_port, with_token):
    send_to(monkeypatch, deaf_port)

    with pytest.raises(StartupError, match=r"Discord cannot be reached: .* Check the network, then start again\."):
        await run.run_until_stopped(with_token())


async def test_an_unreachable_gateway_is_tried_until_the_bot_stops(
    loopback, executor, deaf_port, with_token, caplog, sigterm
):
    loopback.gateway_port = deaf_port
    running = asyncio.ensure_future(run.run_until_stopped(with_token()))
    await eventually(lambda: "Retrying" in caplog.text)
    sigterm()
    await running

    assert executor.closed


async def test_a_refused_list_of_commands_closes_what_was_opened(loopback, executor, with_token):
    """Whatever fails after the database was opened, its file is free again."""
    loopback.takes_commands = False
    settings = with_token()

    with pytest.raises(StartupError, match="Missing Access"):
        await run.run_until_stopped(settings)

    assert executor.closed
    database = await Database.open(settings.storage.database)
    assert await JobStore(database).with_status("queued") == []
    await database.close()


async def test_without_a_token_it_says_where_to_set_one(settings):
    with pytest.raises(ConfigError, match="PASTELBOT_TOKEN"):
        await run.run_until_stopped(settings)

    assert not settings.storage.database.parent.exists()


async def test_a_pictures_folder_that_cannot_be_made_is_reported(tmp_path, with_token):
    (tmp_path / "file").write_text("")
    storage = make_settings(tmp_path).storage.model_copy(update={"pictures": tmp_path / "file" / "pictures"})

    with pytest.raises(StartupError, match="pictures folder"):
        await run.check(with_token(storage=storage))


async def test_folders_that_are_not_there_are_warnings_of_the_start(tmp_path, with_token):
    settings = with_token(storage=make_settings(tmp_path).storage)
    keys = ("loras", "embeddings", "upscalers")
    checkpoint = settings.checkpoint.model_copy(update={key: tmp_path / f"no {key}" for key in keys})
    prompts = settings.prompts.model_copy(update={"wildcards": tmp_path / "no wildcards"})

    with capture_logs() as logs:
        await run.check(settings.model_copy(update={"checkpoint": checkpoint, "prompts": prompts}))

    said = {line["checked"]: line["event"] for line in logs if line["log_level"] == "warning" and "checked" in line}
    for key in ("checkpoint.loras", "checkpoint.embeddings", "checkpoint.upscalers", "prompts.wildcards"):
        assert f"there is no folder {tmp_path / 'no '}{key.partition('.')[2]}" in said[key]


async def test_damaged_pages_end_the_start_in_a_sentence_with_the_way_out(tmp_path, with_token):
    path = tmp_path / "bot.sqlite3"
    await (await Database.open(path)).close()
    content = bytearray(path.read_bytes())
    content[4096::4096] = b"\xff" * len(content[4096::4096])
    path.write_bytes(content)
    storage = make_settings(tmp_path).storage.model_copy(update={"database": path})

    with pytest.raises(DatabaseError, match=r"is damaged .*pastelbot db check.*pastelbot db restore FOLDER"):
        await run.check(with_token(storage=storage))


async def test_a_database_that_cannot_be_written_is_reported(tmp_path, with_token):
    (tmp_path / "file").write_text("")
    storage = make_settings(tmp_path).storage.model_copy(update={"database": tmp_path / "file" / "bot.sqlite3"})

    with pytest.raises(DatabaseError, match="cannot be opened for writing"):
        await run.check(with_token(storage=storage))
