"""A stage for tests of the dispatcher: a real database, an executor that the test drives, and clocks that it moves."""

import asyncio
from contextlib import asynccontextmanager

from helpers.fake_executors import FakeExecutor
from helpers.jobs import insert_job
from helpers.support import eventually

from pastelbot.jobs.background import call_later
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.running import RunningJobs
from pastelbot.records import GenerationRequest, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles

POLL = 15  # seconds between two looks of the dispatcher


class Stage:
    """A dispatcher with a real database, a fake executor and a list of what it published."""

    def __init__(self, database, folder, clock):
        self.database = database
        self.jobs = JobStore(database)
        self.folder = folder
        self.files = PictureFiles(folder, database)
        self.clock = clock
        self.updates = []
        self.started = False
        self.executor = FakeExecutor()
        self.running = RunningJobs()
        self.pauses = []
        self.short_of_space = False
        self.dispatcher = self.make()

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder, clock):
        """Open a database in a folder, and close it and the dispatcher in the end."""
        database = await Database.open(folder / "bot.sqlite3")
        stage = cls(database, folder / "pictures", clock)
        yield stage
        await stage.dispatcher.close()
        await database.close()

    def make(self, executor=None, notes=None):
        self.executor = executor or FakeExecutor()
        return Dispatcher(
            self.jobs,
            self.executor,
            self.files,
            at_once=2,
            stall_seconds=60,
            clock=self.clock,
            notes=notes,
            running=self.running,
            is_short_of_space=self.is_short_of_space,
            later=self.later,
            monotonic=self.clock.monotonic,
        )

    async def is_short_of_space(self):
        return self.short_of_space

    def later(self, seconds, callback):
        """Remember the dispatcher's next look, which `tick` brings forward; what is tried again is at once."""
        if seconds != POLL:
            self.pauses.append(seconds)
            return call_later(0, callback)
        self.timer, self.look = call_later(seconds, callback), callback
        return self.timer

    def tick(self):
        self.timer.cancel()
        self.look()

    def wait(self, seconds):
        """Let time pass, with the dispatcher's looks in it."""
        for _ in range(seconds // POLL):
            self.clock.advance(seconds=POLL)
            self.tick()

    async def start(self):
        await self.dispatcher.start(self.updates.append)
        self.started = True

    async def add(self, user_id=1, prompt="1girl"):
        self.clock.advance(seconds=1)
        request = GenerationRequest(prompt=prompt)
        job = await insert_job(self.jobs, user_id, request, ReplyTarget(channel_id=1), now=self.clock())
        if self.started:
            self.dispatcher.add(job)
        return job.id

    async def status(self, job_id):
        return (await self.jobs.get(job_id)).status

    async def painting(self, *job_ids):
        await eventually(lambda: set(job_ids) == set(self.executor.painting))

    async def quiet(self):
        """Wait until the dispatcher has nothing to do."""
        await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    def published(self, kind):
        return [update.job.id for update in self.updates if isinstance(update, kind)]
