"""One simulated world: a machine, a Discord, its people, and a bot that lives several times, all by one seed."""

import asyncio
import io
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from unittest import mock

import aiohttp
import aiosqlite
from simulation.disk import Disk
from simulation.events import happen
from simulation.fake_discord import APPLICATION, CHANNELS, GUILD, FakeDiscord, guild, user
from simulation.fake_http import FakeSession
from simulation.fake_worker import FakeWorker
from simulation.inline_sqlite import connector_of
from simulation.invariants import Invariants, Ledger
from simulation.network import Faults, Network
from simulation.users import Users
from simulation.virtual_loop import VirtualLoop

from pastelbot import app, config
from pastelbot.bot.messages import message_slot
from pastelbot.jobs.loop_watchdog import LoopWatchdog

_START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
_WORK_PER_DAY = 30.0
_LONGEST_STOP = 8.0
_SETTLE = 3 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a world begins with: a database without jobs, and the commands that Discord has."""

    database: bytes = b""
    commands: tuple = ()


class World:
    """Everything of one seed; `run` raises ViolatedError where an invariant does not hold."""

    def __init__(self, seed, folder, start):
        self.seed = seed
        self.random = Random(f"{seed}:world")
        self.lines = []
        self.elapsed = 0.0
        self.jump = 0.0  # how far the clock of the machine is wrong, in seconds
        self.loop = None
        self.discord = FakeDiscord(self.now)
        self.discord.commands = list(start.commands)
        self.quiet = not start.commands  # no user is there when the start is prepared
        self.disk = Disk(folder, Random(f"{seed}:disk"), start.database)
        self.users = Users(Random(f"{seed}:users"), self.discord, self.trace)
        self.faults = Faults.drawn(Random(f"{seed}:faults"))
        self.invariants = Invariants(self.disk, self.discord, Ledger(int(_WORK_PER_DAY * 1_000_000)))
        self.disk.on_commit = self._committed
        self._crash_in = None
        self._crashed = None
        self.bot = None
        self.power_was_cut = False  # since the database was looked at last
        self.deaf = False  # the gateway is lost
        self.was_left = False  # the bot was put out of the server, at some time
        self.is_last = False  # this life
        self.tasks = []  # what goes on beside the bot, in this life

    # Time, randomness, trace.

    def now(self):
        """Return the true time, in seconds since 1970."""
        return _START + (self.loop.now if self.loop is not None else self.elapsed)

    def clock(self):
        """Return what the machine's clock says."""
        return datetime.fromtimestamp(self.now() + self.jump, tz=UTC)

    def trace(self, *what):
        self.lines.append(f"{self.now() - _START:9.3f} " + " ".join(map(str, what)))

    # Lives.

    def run(self):
        """Let the bot live, crash and live again; then let all settle, and look."""
        with ExitStack() as patches:
            for target, name, value in self._patches():
                patches.enter_context(mock.patch.object(target, name, value))
            end = None
            for _life in range(self.lives()):
                end = self._live(end, last=False)
            self._live(end, last=True)

    def lives(self):
        """Return how often the bot lives before its last life."""
        return self.random.randint(0, 3) if not self.quiet else 0

    def _patches(self):
        bits = Random(f"{self.seed}:secrets")
        return [
            (secrets, "token_hex", lambda size=32: f"{bits.getrandbits(8 * size):0{2 * size}x}"),
            (secrets, "randbelow", bits.randrange),
            (aiosqlite, "connect", connector_of(self.disk)),
            (aiohttp, "ClientSession", lambda **_options: FakeSession(self.discord, self.network)),
            (os, "fsync", self.disk.fsync),
            (io, "open", self.disk.open),
            (message_slot, "monotonic", lambda: self.loop.now),
            (LoopWatchdog, "start", lambda _watchdog: None),  # it watches real time
        ]

    def _live(self, how_before, *, last):
        """Let the bot live once; return how it ended."""
        if how_before is not None:
            self.elapsed += self.random.choice((0.5, 5.0, 200.0, 2000.0))
            self.power_was_cut |= how_before == "power"
            self.disk.cut_power() if how_before == "power" else self.disk.crash()
        self.disk.off = self.disk.full = self.disk.locked = self.deaf = False
        self.is_last = last
        faults = Faults() if last else self.faults
        end = "stop" if last else self.random.choice(("stop", "crash", "crash", "power"))
        self.trace("life", "last" if last else "begins")
        shuffle = self.random.choice((0.0, 0.1))
        loop = self.loop = VirtualLoop(Random(f"{self.seed}:loop:{self.elapsed}"), now=self.elapsed, shuffle=shuffle)
        loop.before_thread = self.disk.before_thread
        loop.set_exception_handler(self._unhandled)
        self.network = Network(Random(f"{self.seed}:net:{self.elapsed}"), faults, self._moment)
        self.worker = FakeWorker(Random(f"{self.seed}:worker:{self.elapsed}"), faults, self.trace)
        self._crash_in = self.random.randint(1, 150) if end in ("crash", "power") else None
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._until_crash(self._life(last=last)))
        finally:
            self._end_life(loop)
        self.trace("life", "ends", end)
        return end

    def _end_life(self, loop):
        self.disk.off = self.network.off = self.worker.closed = True
        self.invariants.close()
        loop.set_exception_handler(lambda _loop, _context: None)  # what a dead process would have said
        lines, self.lines = self.lines, []
        loop.abandon()
        self.lines = lines
        for connection in list(self.disk.connections):
            connection.close_now()
        self.elapsed, self.loop = loop.now, None
        asyncio.set_event_loop(None)

    def _unhandled(self, _loop, context):
        if not self.disk.off:
            self.trace("unhandled", context.get("message"), repr(context.get("exception")))

    async def _until_crash(self, life):
        self._crashed = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(life)
        await asyncio.wait([task, self._crashed], return_when=asyncio.FIRST_COMPLETED)
        if self._crashed.done():
            self._crashed.result()
        else:
            await task

    def _moment(self, what, detail):
        """Hear of something durable or visible that has just happened; it may be the last."""
        self.trace("discord", what, detail)
        self._count_down()

    def _committed(self):
        try:
            self.invariants.after_commit()
        except AssertionError as error:
            self._fail(error)
            return
        self._count_down()

    def _count_down(self):
        if self._crash_in is not None and not self.disk.off:
            self._crash_in -= 1
            if self._crash_in <= 0:
                self.disk.off = self.network.off = True
                self.trace("crash")
                if not self._crashed.done():
                    self._crashed.set_result(None)

    def _fail(self, error):
        self._crash_in = None
        self.disk.off = True
        if not self._crashed.done():
            self._crashed.set_exception(error)

    # One life.

    async def _life(self, *, last):
        await self._start_bot()
        if not last:
            await self._use()
        else:
            await self._use(steps=self.random.randint(0, 10) if not self.quiet else 0)
            await self._settle()
        await self._stop()

    async def _start_bot(self):
        invited_again = self.is_last and bool(self.discord.closed)
        if invited_again:
            self.discord.closed = set()
        self.bot = app.build(self._settings(), executor=self.worker, clock=self.clock, monotonic=lambda: self.loop.now)
        await self.bot.login("token")
        self.bot._connection.shard_ids = range(1)  # noqa: SLF001 - which discord.py sets when it connects
        self.invariants.open(power_cut=self.power_was_cut)
        self.power_was_cut = False
        self.invariants.after_commit()
        self.invariants.check_answered()
        if invited_again:
            self._forgive()
        self.connect()
        self.network.calm = False
        self.trace("bot", "started")

    def lose(self):
        """Take the gateway away: the bot hears of that, and of nothing else until it is connected again."""
        self.trace("gateway", "lost")
        self.deaf = True
        self.bot.dispatch("shard_disconnect", 0)

    def connect(self):
        """Connect the bot with the gateway, in a new session."""
        if self.disk.off:
            return
        self.deaf = False
        self.trace("gateway", "connected")
        guilds = [] if self.discord.closed else [{"id": str(GUILD), "unavailable": True}]
        application = {"id": str(APPLICATION), "flags": 0}
        about = {"user": user(APPLICATION, bot=True), "application": application, "shard": [0, 1]}
        self.gateway("READY", {**about, "guilds": guilds})
        if guilds:
            self.gateway("GUILD_CREATE", guild())

    def leave(self):
        """Put the bot out of the server."""
        self.trace("server", "left")
        self.discord.closed = set(CHANNELS)
        self.was_left = True
        self.gateway("GUILD_DELETE", {"id": str(GUILD)})

    def join(self):
        """Invite the bot again; what it could not say in the server meanwhile, it no longer has to say."""
        if not self.discord.closed:
            return
        self.trace("server", "joined")
        self.discord.closed = set()
        self._forgive()
        if not self.disk.off and self.bot.is_ready():
            self.gateway("GUILD_CREATE", guild())

    def _forgive(self):
        """Expect nothing of the messages of the jobs that there are."""
        self.discord.out_of_reach.update(job_id for (job_id,) in self.invariants.rows("SELECT id FROM jobs"))

    def gateway(self, event, data):
        """Let the bot hear of an event, unless it is not connected."""
        if self.deaf:
            return
        self.bot._connection.parsers[event](data)  # noqa: SLF001 - where discord.py's websocket hands over

    def _settings(self):
        # The real disk has no say in a simulated world.
        storage = {"database": self.disk.database, "pictures": self.disk.pictures, "min_free_mib": 0}
        return config.bundled(
            storage=storage,
            monitoring={"port": 0},
            discord={"direct_messages": True, "edit_seconds": 1.0, "shards": 1},
            worker={"jobs_at_once": 2, "stall_seconds": 60.0},
            quota={"work_per_day": _WORK_PER_DAY, "saved_days": 1000.0},
        )

    async def _use(self, steps=None):
        """Let the people and the faults do things."""
        for _step in range(self.random.randint(3, 40) if steps is None else steps):
            await asyncio.sleep(self.random.choice((0.05, 0.5, 5.0, 30.0)) * self.random.random())
            happen(self)
            self.invariants.check_answered()
            await self._check_slots()

    async def _check_slots(self):
        if self.disk.locked or self.disk.full:
            self.invariants.check_slots((), (), self.now())  # what has no room yet is not leaked
            return
        overview = await self.bot.services.jobs.overview()
        self.invariants.check_slots([job.id for job in overview.running], self.worker.painting, self.now())

    async def _settle(self):
        """Wait until all jobs have ended and all messages are written, then check the whole."""
        self.disk.full = self.disk.locked = False
        until = self.now() + _SETTLE
        while self.now() < until:
            await asyncio.sleep(20)
            await self._check_slots()
            open_jobs = self.invariants.rows(
                "SELECT count(*) FROM jobs WHERE status NOT IN ('done', 'failed', 'cancelled')"
            )
            if not open_jobs[0][0] and not self.bot.messages.pending:
                break
        await self.bot.do_chores()
        await asyncio.sleep(1)
        overview = await self.bot.services.jobs.overview()
        self.invariants.require(not overview.running, "a slot is leaked", jobs=[job.id for job in overview.running])
        self.invariants.check_end()
        self.invariants.check_departures(left=self.was_left)
        self.invariants.check_files()
        self.invariants.check_no_strays()

    async def _stop(self):
        self.trace("bot", "stops")
        stopping = asyncio.ensure_future(self.bot.close())
        await asyncio.wait([stopping], timeout=_LONGEST_STOP)
        self.invariants.require(stopping.done(), "the bot does not end", seconds=_LONGEST_STOP)
        error = stopping.exception()
        self.invariants.require(error is None, "the stop fails", error=repr(error))
