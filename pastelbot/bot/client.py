"""The bot's life: opened in `setup_hook`, closed in `close`."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.answers import answer_error
from pastelbot.bot.cogs.imagine import ImagineCog
from pastelbot.bot.cogs.info import InfoCog
from pastelbot.bot.cogs.recreate import RecreateCog
from pastelbot.bot.delivery import Delivery
from pastelbot.bot.views.buttons import JobButton
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.service.jobs import Service
from pastelbot.store.database import Database
from pastelbot.store.memory import Memory

log = structlog.get_logger(__name__)


class PastelTree(app_commands.CommandTree["PastelBot"]):
    """Commands whose last-resort errors are answered too."""

    async def on_error(
        self, interaction: "discord.Interaction[PastelBot]", error: app_commands.AppCommandError, /
    ) -> None:
        """Answer privately."""
        await answer_error(interaction, error)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """What is opened before Discord is met: everything below the bot layer."""

    database: Database
    dispatcher: Dispatcher
    service: Service


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What commands and buttons use."""

    service: Service
    delivery: Delivery


class PastelBot(commands.Bot):
    """The complete bot; `open_backend` is called once, when it starts."""

    def __init__(
        self, open_backend: Callable[[], Awaitable[Backend]], *, guild_ids: tuple[int, ...], edit_seconds: float
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            tree_cls=PastelTree,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self._open_backend = open_backend
        self._guild_ids = guild_ids
        self._edit_seconds = edit_seconds
        self._backend: Backend | None = None
        self._resources: Resources | None = None

    @property
    def resources(self) -> Resources:
        """What commands use; there from `setup_hook` on."""
        if self._resources is None:
            raise RuntimeError("the bot has not been started")
        return self._resources

    async def setup_hook(self) -> None:
        """Open the database, show Discord our commands, and give the queue to the worker."""
        backend = self._backend = await self._open_backend()
        delivery = Delivery(self, backend.service, edit_seconds=self._edit_seconds)
        self._resources = Resources(service=backend.service, delivery=delivery)
        await self.add_cog(ImagineCog(backend.service))
        await self.add_cog(InfoCog(backend.service))
        recreate = RecreateCog(backend.service)
        await self.add_cog(recreate)
        self.tree.add_command(recreate.menu)
        self.add_dynamic_items(JobButton)
        await self._sync(Memory(backend.database))
        await backend.dispatcher.start(delivery.publish)

    async def on_ready(self) -> None:
        """Say so in the log."""
        log.info("online", user=str(self.user), servers=len(self.guilds))

    async def close(self) -> None:
        """Stop giving out work, put back what is unfinished, and leave Discord."""
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.dispatcher.close()
            await self.resources.delivery.close()
            await backend.database.close()
        await super().close()

    async def _sync(self, memory: Memory) -> None:
        """Send the commands to Discord, but only where they have changed: 200 a day may be created."""
        guilds: list[discord.abc.Snowflake | None] = [discord.Object(number) for number in self._guild_ids] or [None]
        digest = self._digest()
        for guild in guilds:
            name = f"commands:{self.application_id}:{guild.id if guild is not None else 'global'}"
            if guild is not None:
                self.tree.copy_global_to(guild=guild)
            there = {command.name for command in await self.tree.fetch_commands(guild=guild)}
            ours = {command.name for command in self.tree.get_commands(guild=guild)}
            if there != ours or await memory.get(name) != digest:
                await self.tree.sync(guild=guild)
                await memory.set(name, digest)
                log.info("commands sent to Discord", commands=len(ours))

    def _digest(self) -> str:
        payload: list[dict[str, Any]] = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
