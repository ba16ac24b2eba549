"""One database, one Discord, many lives of the bot: each is ended in a way of its own, and nothing may be lost."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace

from chaos.discord_server import DiscordServer
from chaos.lives import REFUSED, WORK_PER_DAY
from helpers.demo import children_of
from simulation.invariants import Invariants, Ledger
from simulation.users import Users

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0  # on a busy machine; the bot itself promises eight
_SETTLE_SECONDS = 90.0
_WRITES = 150  # the moments about durable writes, of a life, that are tried one after the other
_WAYS = ("write", "write", "write", "SIGKILL", "SIGTERM", "SIGSTOP", "worker", "two bots")


class Lives:
    """The program that forks the bot's lives."""

    def __init__(self, process):
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls):
        """Start the program, which takes seconds; end it in the end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("lives.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, Path(__file__).parents[1:3]))},
        )
        try:
            yield cls(process)
        finally:
            process.stdin.close()
            await process.wait()

    async def begin(self, **life):
        """Begin a life; return its process id."""
        self._process.stdin.write(json.dumps(life).encode() + b"\n")
        return int(await self._process.stdout.readline())

    async def end(self):
        """Wait for its end; return the exit status."""
        return int(await self._process.stdout.readline())


class Campaign:
    """Lives of one bot; `counted` has what was done to them."""

    def __init__(self, folder, seed, lives, rival):
        self.folder = Path(folder)
        self.random = Random(seed)
        self.counted = Counter()
        self._lives, self._rival = lives, rival
        self._writes = seed * 7 % _WRITES
        self._server = DiscordServer()
        self._users = Users(self.random, self._server.discord, lambda *_what: None)
        disk = SimpleNamespace(database=self.folder / "bot.sqlite3", pictures=self.folder / "pictures")
        self._invariants = Invariants(
            disk, self._server.discord, Ledger(int(WORK_PER_DAY * 1_000_000)), every_commit=False
        )

    async def run(self, lives):
        """Let the bot live so often, and once more until all is settled; raises ViolatedError."""
        await self._server.start()
        try:
            for _life in range(lives):
                await self._live(self.random.choice(_WAYS))
                self._look()
            await self._live_to_the_end()
        finally:
            await self._server.close()

    async def _live(self, way):
        writes = 0
        if way == "write":
            writes = self._writes = self._writes % _WRITES + 1
        self.counted[way] += 1
        async with self._begun(writes) as (pid, ended):
            with suppress(ProcessLookupError):
                await self._use(ended, self.random.uniform(0.2, 1.5))
                await self._hurt(way, pid, ended)
            await self._ended(pid, ended, way)

    @asynccontextmanager
    async def _begun(self, writes=0):
        """Begin a life and wait until it hears of Discord; yield its process id, and the future of its exit status."""
        connections = self._server.connections
        pid = await self._lives.begin(folder=str(self.folder), port=self._server.port, writes=writes)
        ended = asyncio.ensure_future(self._lives.end())
        try:
            await self._connected(ended, connections)
            yield pid, ended
        finally:
            with suppress(ProcessLookupError):
                if not ended.done():
                    os.kill(pid, signal.SIGKILL)
            await ended

    async def _connected(self, ended, connections):
        waited = 0.0
        while self._server.connections == connections and not ended.done():
            await asyncio.sleep(0.02)
            waited += 0.02
            self._invariants.require(waited < _START_SECONDS, "the bot does not start", log=self._log())

    async def _use(self, ended, seconds):
        """Let users do things, until the time is over or the bot has ended."""
        while seconds > 0 and not ended.done():
            act = self._users.imagine if self.random.random() < 0.55 else self._users.click
            act(self._server.send)
            pause = self.random.uniform(0.01, 0.15)
            await asyncio.wait([ended], timeout=pause)
            seconds -= pause

    async def _hurt(self, way, pid, ended):
        if way == "worker":
            for child in children_of(pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            await self._use(ended, 1.0)
        elif way == "SIGSTOP":
            os.kill(pid, signal.SIGSTOP)
            await self._use(ended, self.random.uniform(0.3, 4.0))
            os.kill(pid, signal.SIGCONT)
            await self._use(ended, 0.5)
        elif way == "two bots":
            await self._rival.begin(folder=str(self.folder), port=self._server.port, writes=0)
            status = await self._rival.end()
            refused = status == REFUSED or ended.done()
            self._invariants.require(refused, "two bots use one database", status=status)

    async def _ended(self, pid, ended, way):
        """End the life, where it has not ended by itself, and wait for that."""
        gently = way == "SIGTERM" or (way in ("worker", "SIGSTOP") and self.random.random() < 0.5)
        if not ended.done():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if gently else signal.SIGKILL)
        done, _ = await asyncio.wait([ended], timeout=_STOP_SECONDS)
        self._invariants.require(bool(done), "the bot does not end", log=self._log())
        status = ended.result()
        expected = (0,) if gently else (-signal.SIGKILL,)
        self._invariants.require(status in expected, "the bot ends otherwise", status=status, way=way, log=self._log())

    def _look(self):
        """Look at what a life has left."""
        self._invariants.open()
        self._invariants.after_commit()
        self._invariants.check_answered()
        self._invariants.close()

    async def _live_to_the_end(self):
        async with self._begun() as (pid, ended):
            self._invariants.open()
            try:
                await self._settled(ended)
                self._invariants.after_commit()
                self._invariants.check_files()
                self.counted["jobs"] += self._invariants.rows("SELECT count(*) FROM jobs")[0][0]
            finally:
                self._invariants.close()
            os.kill(pid, signal.SIGTERM)
            await asyncio.wait([ended], timeout=_STOP_SECONDS)
            self._invariants.require(ended.done() and ended.result() == 0, "the last stop fails", log=self._log())

    async def _settled(self, ended):
        """Wait until every job has ended and is shown; raises what does not hold even then."""
        for _second in range(int(_SETTLE_SECONDS)):
            await asyncio.wait([ended], timeout=1.0)
            self._invariants.require(not ended.done(), "the last life ends", log=self._log())
            with suppress(AssertionError):
                self._invariants.check_end()
                return
        self._invariants.check_end()

    def _log(self):
        """Return the end of what the bots said."""
        log = self.folder / "log"
        return log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else ""


async def campaign(seed, kills, lives, rival):
    """Run a campaign in a folder of its own; return what was counted. Raises ViolatedError."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        one = Campaign(folder, seed, lives, rival)
        await one.run(kills)
    return one.counted
