"""A channel in which many people paint at once, while Discord takes five edits of its messages in five seconds.

The bot is the real one, with discord.py's client and its own waiting; time is simulated, so a seed gives the same
times on every machine.
"""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from simulation.fake_worker import content_of
from simulation.network import EditLimit
from simulation.world import World

from pastelbot import config
from pastelbot.records import Cancel, Paint, Painted, PaintingCancelled, Picture, Progress, WorkerReady

NEVER = 1e6
_FIRST_PERSON = 201


@dataclass(frozen=True, kw_only=True)
class Load:
    """What people ask for: jobs within some seconds, and a worker that paints `slots` of them step by step."""

    jobs: int = 20
    within: float = 10.0
    slots: int = 4
    steps: int = 20
    step_seconds: float = 0.25


@dataclass(kw_only=True)
class Edits:
    """What Discord saw: when a picture was painted and when its message had it, by job; and all edits in order."""

    painted: dict = field(default_factory=dict)
    posted: dict = field(default_factory=dict)
    sent: list = field(default_factory=list)  # when the bot sent an edit, and whether it brings a picture

    @property
    def waits(self):
        """Return how long each finished picture waited, in seconds."""
        return [self.posted[job_id] - painted for job_id, painted in self.painted.items()]

    @property
    def progress(self):
        """Return when edits were sent that bring no picture."""
        return [at for at, brings in self.sent if not brings]


class SteadyWorker:
    """An executor whose jobs advance together, a step at a time; a step of more jobs takes as long as one of one."""

    def __init__(self, load, on_painted):
        self.load = load
        self.painting = {}
        self._on_painted = on_painted
        self._on_event = lambda _event: None
        self._timer = None

    def start(self, on_event):
        self._on_event = on_event
        on_event(WorkerReady(device="none", checkpoint="fake", checkpoint_hash="0" * 10))

    def send(self, command):
        if isinstance(command, Paint):
            self.painting[command.job_id] = [command.request, 0]
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self.load.step_seconds, self._step)
        elif isinstance(command, Cancel) and self.painting.pop(command.job_id, None):
            self._on_event(PaintingCancelled(job_id=command.job_id))

    def restart(self, reason):
        raise AssertionError(reason)

    async def close(self):
        if self._timer is not None:
            self._timer.cancel()

    def _step(self):
        self._timer = asyncio.get_running_loop().call_later(self.load.step_seconds, self._step)
        for job_id, one in list(self.painting.items()):
            one[1] += 1
            if one[1] < self.load.steps:
                self._on_event(Progress(job_id=job_id, step=one[1], steps=self.load.steps))
                continue
            del self.painting[job_id]
            seed = one[0].seed
            picture = Picture(png=content_of(seed), seed=seed, width=8, height=8, infotext=f"Seed: {seed}")
            self._on_painted(job_id)
            seconds = self.load.steps * self.load.step_seconds
            self._on_event(Painted(job_id=job_id, pictures=(picture,), seconds=seconds))


class BusyChannel(World):
    """The world of one seed; `edit_seconds` is the bot's setting, NEVER for none but the pictures."""

    def __init__(self, seed, folder, start, load, edit_seconds):
        super().__init__(seed, folder, start)
        self.load = load
        self.edit_seconds = edit_seconds
        self.edits = Edits()

    def lives(self):
        return 0

    def _settings(self):
        settings = super()._settings()
        return config.bundled(
            storage=settings.storage.model_dump(),
            monitoring={"port": 0},
            discord={"edit_seconds": self.edit_seconds, "shards": 1},
            worker={"jobs_at_once": self.load.slots},
            quota={"work_per_day": 0.0},
        )

    async def _life(self, *, last):  # noqa: ARG002 - the world's signature
        self.worker = SteadyWorker(self.load, self._painted)
        await self._start_bot()
        self.network.edit_limit = EditLimit()
        self.network.on_sent = self._sent
        for number in range(self.load.jobs):
            await asyncio.sleep(self.random.random() * 2 * self.load.within / self.load.jobs)
            self.users.command(self.gateway, _FIRST_PERSON + number, "imagine", prompt="1girl", seed=number)
        while len(self.edits.posted) < self.load.jobs:
            await asyncio.sleep(1)
        await self._stop()

    def _sent(self, method, path, *, files):
        if (method, path.split("/")[1]) == ("PATCH", "channels"):
            self.edits.sent.append((self.loop.now, files))

    def _painted(self, job_id):
        self.edits.painted[job_id] = self.loop.now

    def _moment(self, what, detail):
        super()._moment(what, detail)
        new = [job_id for job_id in self.discord.picture_posts if job_id not in self.edits.posted]
        for job_id in new:
            self.edits.posted[job_id] = self.loop.now


def watch(seed, start, load, edit_seconds):
    """Let a seed's people paint; return what Discord saw."""
    folder = Path(tempfile.mkdtemp(prefix="channel-"))
    world = BusyChannel(seed, folder, start, load, edit_seconds)
    try:
        world.run()
    finally:
        shutil.rmtree(folder)
    return world.edits
