"""What the doctor finds in installations that have one thing wrong each."""

import sqlite3
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from aiohttp import web
from pydantic import SecretStr
from typer.testing import CliRunner

from pastelbot import config
from pastelbot.cli.main import app
from pastelbot.doctor.device_check import device_findings, judged
from pastelbot.doctor.discord_check import discord_findings
from pastelbot.doctor.finding import Level, worst
from pastelbot.doctor.local_checks import application_id, invite_link, local_findings

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDe.abcdefghijklmnopqrstuvwxyz01234567890"  # noqa: S105 - a made-up one
SOUND = {"checkpoint": {"path": "bundled"}, "storage": {"keep_days": 30}}


@pytest.fixture
def found(tmp_path):
    """Return what is found at fault, by what was looked at; a sound installation with these sections changed."""

    def found(*, token=TOKEN, now=NOW, **sections):
        storage = {"database": tmp_path / "bot.sqlite3", "pictures": tmp_path / "pictures"}
        values = {name: SOUND.get(name, {}) | sections.get(name, {}) for name in {*SOUND, *sections}}
        settings = config.bundled(**(values | {"storage": storage | values["storage"]}))
        settings = settings.model_copy(update={"token": SecretStr(token) if token else None})
        findings = local_findings(settings, now=now)
        return {one.what: one for one in findings if one.level is not Level.OK}

    return found


def test_a_sound_installation_has_no_faults(found):
    assert found() == {}


@pytest.mark.parametrize(
    ("sections", "what", "level", "said"),
    [
        ({"checkpoint": {"path": "models/pastel.safetensors"}}, "checkpoint default", Level.FAIL, "not a file or"),
        ({"checkpoint": {"path": "/nowhere"}}, "checkpoint default", Level.FAIL, "not a file or folder"),
        ({"checkpoints": {"x": {"path": "/nowhere"}}}, "checkpoint x", Level.WARN, "not a file or folder"),
        ({"checkpoint": {"vae": "/nowhere.safetensors"}}, "VAE checkpoint.vae", Level.WARN, "there is no file"),
        ({"checkpoint": {"loras": "nofolder"}}, "checkpoint.loras", Level.WARN, "there is no folder nofolder"),
        ({"storage": {"keep_days": 0}}, "pictures", Level.WARN, "storage.max_gib"),
    ],
)
def test_each_fault_is_found_with_its_cure(found, sections, what, level, said):
    (fault,) = found(**sections).values()

    assert (fault.what, fault.level) == (what, level)
    assert said in fault.text


@pytest.mark.parametrize("token", [None, "abc", "a" * 70])
def test_what_is_no_token_is_said(found, token):
    (fault,) = found(token=token).values()

    assert (fault.what, fault.level) == ("token", Level.FAIL)


@pytest.mark.parametrize("file", [None, "config.toml"])
def test_where_no_checkpoint_is_configured_each_commands_own_is_named(tmp_path, file):
    settings = config.load(None, environ={}).model_copy(update={"source": file and tmp_path / file})
    (said,) = (each.text for each in local_findings(settings, now=NOW) if each.what == "checkpoint default")

    assert "andite/pastel-mix, from the hub" in said
    assert (file is None) is ("`pastelbot imagine` and the demo take the bundled one" in said)


def test_a_disk_on_which_nothing_is_painted_is_said(found):
    faults = found(storage={"min_free_mib": 2**40})

    assert {(fault.what, fault.level) for fault in faults.values()} == {
        ("disk of the database", Level.FAIL),
        ("disk of the pictures", Level.FAIL),
    }


def test_a_clock_that_was_never_set_is_said(found):
    assert list(found(now=datetime(1970, 1, 2, tzinfo=UTC))) == ["clock"]


def test_a_damaged_database_is_said(found, tmp_path):
    path = tmp_path / "bot.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    connection.close()
    assert found() == {}
    content = bytearray(path.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    path.write_bytes(content)

    assert list(found()) == ["database"]


def test_the_invite_link_has_the_application_and_the_permissions():
    assert application_id(TOKEN) == 123456789012345678
    assert "client_id=5&scope=bot+applications.commands&permissions=274878008320" in invite_link(5)


def test_the_device_is_looked_at_in_another_process():
    (device, memory) = device_findings(config.bundled(checkpoint={"path": "bundled", "device": "cpu"}))

    assert device.level is Level.OK
    assert "cpu" in device.text
    assert "GiB" in memory.text


def test_a_device_that_is_not_there_is_said():
    settings = config.bundled()
    checkpoint = settings.checkpoint.model_copy(update={"device": "tpu"})

    (fault,) = device_findings(settings.model_copy(update={"checkpoint": checkpoint}))

    assert fault.level is Level.FAIL
    assert "'tpu' is unknown" in fault.text


@pytest.mark.parametrize(("installed", "level"), [(True, Level.OK), (False, Level.FAIL)])
def test_the_devices_of_a_cluster_are_not_asked(monkeypatch, installed, level):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(__spec__=object()) if installed else None)
    (finding,) = device_findings(config.bundled(worker={"executor": "ray"}, ray={"actors": 3}))

    assert finding.level is level
    assert "Ray" in finding.text


def test_painting_a_large_checkpoint_on_the_cpu_is_warned_of_with_minutes():
    """1.07e11 operations a second, of which half are reached: 30.3 megapixel-steps of 5.3e12 take 50 minutes."""
    report = {"device": "cpu", "name": "2 threads", "driver": "none", "memory": 2**34, "flops": 1.0706e11}
    fault, memory = judged(report, small=False)

    assert (fault.level, memory.level) == (Level.WARN, Level.OK)
    assert "takes about 50 minutes here" in fault.text
    assert [one.level for one in judged(report, small=True)] == [Level.OK, Level.OK]


@pytest.fixture
async def discord():
    """Serve a Discord that knows one token; return its address."""
    guilds = []

    async def handle(request):
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            return web.json_response({"message": "401: Unauthorized"}, status=401)
        if "/channels/" in request.path:
            return web.json_response({"name": "ops"}, status=200 if request.path.endswith("/7") else 404)
        return web.json_response(guilds if request.path.endswith("guilds") else {"username": "pastel"})

    server = web.Application()
    server.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", guilds
    await runner.cleanup()


async def test_discord_says_who_the_bot_is_and_where(discord):
    address, guilds = discord
    assert [one.text for one in await discord_findings(TOKEN, api=address) if one.level] == [
        "none yet: open the invite link"
    ]
    guilds.append({"id": "1"})

    assert worst(await discord_findings(TOKEN, api=address)) is Level.OK
    assert worst(await discord_findings("wrong", api=address)) is Level.FAIL


@pytest.mark.parametrize(
    ("channel", "level", "said"),
    [(7, Level.OK, "#ops"), (8, Level.FAIL, "the bot does not see it"), (None, None, None)],
)
async def test_the_channel_for_alerts_is_looked_at(discord, channel, level, said):
    address, _guilds = discord
    found = {one.what: one for one in await discord_findings(TOKEN, channel, api=address)}
    finding = found.get("alerts.channel")

    assert (finding and finding.level) == level
    assert finding is None or said in finding.text


async def test_where_discord_is_out_of_reach_nothing_is_claimed():
    (finding,) = await discord_findings(TOKEN, api="http://127.0.0.1:1")

    assert finding.level is Level.WARN
    assert finding.text.startswith("not checked")


def test_the_command_prints_a_line_each_and_exits_with_the_worst(tmp_path, monkeypatch):
    monkeypatch.delenv("PASTELBOT_TOKEN", raising=False)
    path = tmp_path / "config.toml"
    path.write_text('[checkpoint]\npath = "bundled"\ndevice = "cpu"\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--config", str(path)])

    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0].startswith("fail  token: there is none")
    assert any(line.startswith("ok    device: cpu") for line in lines)
