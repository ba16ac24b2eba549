"""A studio for tests: the real bot on a simulated Discord server, and short ways to use and look at it."""

import os
from types import SimpleNamespace

import discord
from discord import Permissions
from helpers.discord_rules import check_requests
from helpers.fake_executors import FakeDescriber, FakeExecutor
from helpers.jobs import work_used
from helpers.simulator import QuickEnv
from helpers.support import PATIENCE, eventually
from simcord.backend.ops.commands import COMMAND_FIELDS

from pastelbot import app
from pastelbot.records import JobStatus
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore

OPEN = (JobStatus.QUEUED, JobStatus.LEASED, JobStatus.RENDERED, JobStatus.POSTED)


class SimulatedServer:
    """One channel, three people, one bot."""

    def __init__(self, settings, clock, executor=None):
        self.settings = settings
        self.clock = clock
        self.executor = executor or FakeExecutor()
        self.describer = FakeDescriber()
        self.bot = self.build()

    def build(self):
        """Return a bot whose retries come soon."""
        return app.build(
            self.settings,
            executor=self.executor,
            describer=self.describer,
            clock=self.clock,
            monotonic=self.clock.monotonic,
            first_retry=0.01,
        )

    async def open(self, commands=()):
        """Start the bot on a Discord that has these commands of it."""
        shards = None if self.bot.shard_count else 1
        self.env = QuickEnv(self.bot, shard_count=shards, settle_timeout=PATIENCE)
        self.env.backend.register_commands(None, commands)
        await self.env.start()
        self.guild = self.env.create_guild("Pastel SimulatedServer")
        self.channel = self.guild.create_text_channel("art")
        moderators = self.guild.create_role("moderators", permissions=Permissions(manage_messages=True))
        self.hana = self.guild.add_member(self.env.create_user("hana"))
        self.kenji = self.guild.add_member(self.env.create_user("kenji"))
        self.mod = self.guild.add_member(self.env.create_user("mod"), roles=[moderators])

    @property
    def commands(self):
        """Return the commands that Discord has of the bot, as it was sent them."""
        kept = self.env.backend.commands[None].values()
        return [{key: value for key, value in command.items() if key in COMMAND_FIELDS} for command in kept]

    async def close(self):
        await self.bot.close()
        await self.env.shutdown()
        self.env.raise_errors()
        check_requests(self.env.http_requests, await self.owners())

    async def owners(self):
        """Return whose jobs there are; the bot may be closed."""
        database = await Database.open(self.settings.storage.database)
        jobs = await JobStore(database).with_status(*JobStatus)
        await database.close()
        return {job.id: job.user_id for job in jobs}

    async def restart(self, executor=None):
        """Start a new bot on the same database; the old one was closed or killed."""
        self.executor = executor or FakeExecutor()
        self.bot = self.build()
        await self.env.restart_bot(self.bot)

    async def kill(self):
        """End the bot as a crash would: nothing is put back, shown or settled, as nothing can be shown or written."""
        await self.bot.messages.close()
        await self.bot.services.database.close()
        await self.bot.close()

    @property
    def jobs(self):
        return JobStore(self.bot.services.database)

    @property
    def service(self):
        return self.bot.services.jobs

    async def imagine(self, prompt="1girl, red hair", *, by=None, channel=None, **options):
        by = by or self.hana
        return await by.slash(channel or self.channel, "imagine", prompt=prompt, **options)

    async def refused(self, result):
        """Return the private text that refused something, seeing to it that nothing was queued."""
        assert result.response.ephemeral
        assert await self.jobs.with_status(*OPEN) == []
        assert await self.used(self.hana) == 0
        return result.response.content

    async def more(self, by, message, label, more="More"):
        """Press a button of those behind More."""
        asked = await by.click(message, label=more)
        return await by.click(asked.response, label=label)

    async def old_button(self, by, message, verb):
        """Press a button that a message of an earlier version had, under a copy of it."""
        custom_id = f"pb:{verb}:{job_of(message)}"
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label="Press", custom_id=custom_id))
        view.stop()
        sent = await self.bot.get_channel(self.channel.id).send("an old message", view=view)
        return await by.click(self.message(sent.id), custom_id=custom_id)

    async def used(self, person):
        """Return the work that the person's jobs of this day have reserved or spent."""
        return await work_used(self.jobs, person.id, now=self.clock())

    async def charged(self, person=None):
        """Return the pictures that a user was charged for."""
        sql = "SELECT coalesce(sum(count), 0) FROM jobs WHERE user_id = ? AND NOT refunded"
        return await self.bot.services.database.reader.number(sql, (person or self.hana).id)

    async def finish(self, number=0):
        """Let the worker finish a job, and return its message when the picture is there."""
        await self.painting(number + 1)
        job_id = list(self.executor.painting)[number]
        self.executor.finish(job_id)
        await self.status(job_id, JobStatus.DONE)
        return await self.message_of(job_id)

    async def painting(self, count=1):
        """Wait until that many jobs are painted; return their ids."""
        await eventually(lambda: len(self.executor.painting) >= count)
        return list(self.executor.painting)

    async def status(self, job_id, *statuses):
        """Wait until the job is in one of these states."""

        async def there():
            return (await self.jobs.get(job_id)).status in statuses

        await eventually(there)

    async def message_of(self, job_id):
        job = await self.jobs.get(job_id)
        return self.message(job.reply.message_id)

    def message(self, message_id):
        return next((message for message in self.messages if message.id == message_id), None)

    @property
    def files(self):
        """The names of the picture files that are kept, also while some are being removed."""
        return [name for _folder, _folders, names in os.walk(self.settings.storage.pictures) for name in names]

    @property
    def messages(self):
        return self.channel.history(viewer=self.mod)

    async def says(self, text, message_id=None, *, seconds=PATIENCE):
        """Wait until the message (left out: the last one) contains a text; return it."""

        def found():
            message = self.message(message_id) if message_id else self.channel.last_message
            return message is not None and text in message.content

        await eventually(found, seconds=seconds)
        return self.message(message_id) if message_id else self.channel.last_message

    def sent(self, part, method="*"):
        """Return the bodies of the bot's requests to paths with a part such as "messages"."""
        return [
            request.json
            for request in self.env.http_requests
            if part in request.path and method in ("*", request.method) and request.json is not None
        ]

    def edits(self):
        """Return the bodies of the bot's edits of messages."""
        return self.sent("messages", "PATCH")


def job_of(message):
    """Return the id of the job that a message shows."""
    return custom_ids(message)[0].rpartition(":")[2]


def custom_ids(message):
    return [button.custom_id for row in message.components for button in row.children]


def rows(message):
    """Return the buttons of each row of a message; those of a private one may come as they were sent."""
    return [
        [SimpleNamespace(**button) for button in row["components"]] if isinstance(row, dict) else row.children
        for row in message.components
    ]


def labels(message):
    return [button.label for row in rows(message) for button in row]


def fields(modal):
    """Return the modal's texts by their custom ids."""
    inputs = [label["component"] for label in modal["components"]]
    return {field["custom_id"]: field["value"] for field in inputs if "value" in field}
