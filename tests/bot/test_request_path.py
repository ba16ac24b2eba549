"""What one request costs on its way: reads of the database, frames down to the quota, folders that are listed."""

import asyncio
import os
import sqlite3
import threading
import traceback
from pathlib import Path

import pytest

from pastelbot.store import quotas

TWELVE = "{red,blue,green,black,white,pink} hair, {smile,frown}"


@pytest.fixture
def statements(monkeypatch):
    """All statements that any connection carries out from now on."""
    seen = []
    connect = sqlite3.connect

    def traced(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return seen


def reads(statements, write):
    """Return how many reads there were before the first statement that begins so."""
    first = next(number for number, statement in enumerate(statements) if statement.startswith(write))
    return sum(statement.startswith("SELECT") for statement in statements[:first])


@pytest.fixture
async def limited(statements, open_studio):
    """A studio with a quota, where one picture is painted already, so that nothing else reads the database."""
    studio = await open_studio(quota={"work_per_day": 100_000.0})
    await studio.imagine(by=studio.mod)
    await studio.painting()
    statements.clear()
    return studio


async def test_one_imagine_reads_at_most_six_times_before_it_writes(limited, statements):
    await limited.imagine()

    assert reads(statements, ("INSERT", "UPDATE", "DELETE")) <= 6


async def test_twelve_prompts_read_at_most_eight_times_with_their_confirmation(limited, statements):
    asked = (await limited.imagine(TWELVE)).response
    before = reads(statements, ("INSERT", "UPDATE", "DELETE"))
    statements.clear()
    await limited.hana.click(asked, label="Paint")

    assert before + reads(statements, "INSERT INTO jobs") <= 8
    assert await limited.charged() == 12


@pytest.mark.parametrize("private", [False, True])
async def test_the_quota_is_reserved_at_most_seven_frames_below_the_command(studio, monkeypatch, private):
    stacks = []
    reserve = quotas.reserve

    async def seen(*args):
        stacks.append([frame.name for frame in traceback.extract_stack() if "/pastelbot/" in frame.filename])
        return await reserve(*args)

    monkeypatch.setattr(quotas, "reserve", seen)
    await studio.imagine(private=private)

    (stack,) = stacks
    assert len([*stack[stack.index("imagine") :], "reserve"]) <= 7


@pytest.fixture
def listed(monkeypatch):
    """The folders that are listed on the event loop's thread."""
    found, loop = [], threading.get_ident()

    def watched(name, function):
        def call(*args, **kwargs):
            if threading.get_ident() == loop:
                found.append((name, args, traceback.extract_stack()[-3].name))
            return function(*args, **kwargs)

        return call

    for owner, name in ((os, "scandir"), (os, "listdir"), (Path, "iterdir"), (Path, "rglob"), (Path, "glob")):
        monkeypatch.setattr(owner, name, watched(name, getattr(owner, name)))
    return found


@pytest.fixture
async def equipped(open_studio, tmp_path):
    """A studio with folders of upscalers, LoRAs, embeddings and wildcards, in which files have just been changed."""
    for name in ("upscalers/sharp.pth", "loras/Soft Light.safetensors", "embeddings/bad.pt", "wildcards/pose.txt"):
        file = tmp_path / "models" / name
        file.parent.mkdir(parents=True)
        file.write_text("standing\n", encoding="utf-8")
    folders = {name: tmp_path / "models" / name for name in ("upscalers", "loras", "embeddings")}
    studio = await open_studio(checkpoint=folders, prompts={"wildcards": tmp_path / "models" / "wildcards"})
    await studio.imagine(by=studio.mod, hires="off")
    await studio.finish()
    return studio


async def test_no_folder_is_listed_on_the_event_loop(equipped, listed):
    studio = equipped
    painted = studio.messages[-1]
    await studio.imagine("1girl, __pose__, <lora:soft light:1>")
    await studio.kenji.click(painted, label="Reroll")
    large = await studio.kenji.click(painted, label="Hires")
    await studio.kenji.click(large.response, label="Faithful")
    infotext = "1girl, bad <lora:gone:1>\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 448x640"
    infotext += ', Hires upscale: 1.5, Hires upscaler: sharp, TI hashes: "bad: 0123"'
    await studio.kenji.slash(studio.channel, "recreate", infotext=infotext)
    asked = (await studio.imagine("{red,blue} hair, __pose__", by=studio.kenji)).response
    await studio.kenji.click(asked, label="Paint")

    assert listed == []
    assert await asyncio.to_thread(os.listdir, studio.settings.storage.pictures)
