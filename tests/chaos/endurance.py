"""Many jobs, one after the other: the memory and the open files of the bot stay as they are."""

import asyncio
import os
import signal
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import linear_regression

from chaos.discord_server import DiscordServer
from simulation.users import PEOPLE, Users

_AT_ONCE = 40  # jobs that are open
_SAMPLE = 500  # jobs between two looks at the process
_PAUSE = 0.1
_LOST = 15.0  # seconds, after which what was asked for is no longer expected
_STALLED = 120.0  # seconds without a job that ends
_MOST_GROWTH = 24.0  # MiB between the first look, when all is loaded, and the last one of a life


class GrowthError(AssertionError):
    """A bot holds more and more."""


async def endure(lives, jobs, jobs_of_a_life, say, say_growth):
    """Let bots do that many jobs, each bot some; raises GrowthError where one grows."""
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        server = DiscordServer()
        await server.start()
        try:
            for first in range(0, jobs, jobs_of_a_life):
                await _live(lives, Path(folder), server, min(jobs, first + jobs_of_a_life), say, say_growth)
        finally:
            await server.close()


async def _live(lives, folder, server, goal, say, say_growth):
    connections = server.connections
    pid = await lives.begin(folder=str(folder), port=server.port, writes=0, tireless=True)
    ended = asyncio.ensure_future(lives.end())
    try:
        while server.connections == connections and not ended.done():
            await asyncio.sleep(0.05)
        say_growth(growth(await _work(pid, folder, server, goal, say)))
        os.kill(pid, signal.SIGTERM)
        if await ended != 0:
            raise GrowthError("the bot does not end as it should")
    finally:
        if not ended.done():
            os.kill(pid, signal.SIGKILL)
            await ended


async def _work(pid, folder, server, goal, say):
    users = Users(Random(goal), server.discord, lambda *_what: None)
    samples, waited, known = [], 0.0, 0
    asked = sum(_jobs(folder / "bot.sqlite3"))
    while True:
        done, still_open = _jobs(folder / "bot.sqlite3")
        if not samples or done >= min(samples[-1][0] + _SAMPLE, goal):
            samples.append((done, *_held(pid)))
            say(samples[-1])
        if done >= goal:
            break
        waited, known = (waited + _PAUSE, known) if done == known else (0.0, done)
        if waited > _STALLED:
            raise GrowthError(f"jobs no longer end after {done}")
        if waited > _LOST:  # what was asked for came too late to be answered
            asked = done + still_open
        for number in range(min(_AT_ONCE - (asked - done), 8)):
            users.command(server.send, PEOPLE[number % 3], "imagine", prompt="1girl", seed=asked)
            asked += 1
        _forget(server.discord)
        await asyncio.sleep(_PAUSE)
    _check(samples)
    return samples


def growth(samples):
    """Return how many MiB and open files a bot grows by in 1,000 jobs, by least squares; the first look is left out."""
    settled = samples[1:] if len(samples) > 2 else samples
    if len({jobs for jobs, *_held in settled}) < 2:
        return 0.0, 0.0
    jobs, memory, handles = zip(*settled, strict=True)
    return 1000 * linear_regression(jobs, memory).slope, 1000 * linear_regression(jobs, handles).slope


def _check(samples):
    (_, memory, handles), (_, memory_in_the_end, handles_in_the_end) = samples[min(1, len(samples) - 1)], samples[-1]
    if memory_in_the_end - memory > _MOST_GROWTH or handles_in_the_end > handles + 8:
        raise GrowthError(f"the bot grows: {samples}")


def _jobs(database):
    """Return how many jobs have ended, and how many have not; jobs are never deleted, so the last number tells."""
    sql = (
        "SELECT coalesce(max(rowid), 0), (SELECT count(*) FROM jobs"
        " WHERE status IN ('queued', 'leased', 'rendered', 'posted')) FROM jobs"
    )
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        asked, still_open = connection.execute(sql).fetchone()
    return asked - still_open, still_open


def _held(pid):
    """Return the memory of a process, in MiB, and its open files."""
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _forget(discord):
    """Let Discord's side forget what is old, which would grow here."""
    for old in list(discord.messages)[:-2000]:
        del discord.messages[old]
    for old in list(discord.interactions)[:-2000]:
        del discord.interactions[old]
