"""The bot's client and life cycle: everything is opened in `setup_hook` and closed in `close`."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from pastelbot.bot import components, features, render
from pastelbot.bot.checks import check_command
from pastelbot.bot.components.drafts import Drafts
from pastelbot.bot.components.job_questions import ShownQuestions
from pastelbot.bot.context import Interaction, PastelClient
from pastelbot.bot.memberships import Memberships
from pastelbot.bot.messages.alert_messages import AlertMessages, answers_to
from pastelbot.bot.messages.begun_messages import BegunMessages
from pastelbot.bot.messages.delivery import Delivery
from pastelbot.bot.messages.gallery_posts import GalleryPosts
from pastelbot.bot.messages.message_slot import Pace
from pastelbot.bot.messages.review_messages import ReviewMessages
from pastelbot.bot.rates import within_rate
from pastelbot.bot.responses import answer_error
from pastelbot.bot.sync import sync_commands
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.background import Mailbox, Periodic, finish_within
from pastelbot.records import Update
from pastelbot.service.services import Services

_FIRST_CHORES = 60.0
_CHORES = 3600.0
# Of the seconds that a stop may take: for the work under way, and then for the database and for Discord.
_WORK_SHARE, _LEAVING_SHARE = 0.6, 0.15
# Where users may add the bot to their account: the installs and the channels of commands that do not say otherwise.
_EVERYWHERE = app_commands.AppInstallationType(guild=True, user=True)
_IN_ALL_CHANNELS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)

log = structlog.get_logger(__name__)


class Page(Protocol):
    """The web page beside the bot; `web.server.PageServer` is one."""

    async def start(self) -> str:
        """Begin to serve, and return the address."""

    async def close(self) -> None:
        """End the connections and the server."""


class _PastelTree(app_commands.CommandTree[PastelClient]):
    """Commands whose last-resort errors are answered too."""

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer privately."""
        await answer_error(interaction, error)

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Answer commands only where the access policy allows it, and `/admin` only for those who may use it."""
        if not await within_rate(interaction):
            return False
        try:
            await check_command(interaction, interaction.client.services.access)
        except Exception as error:  # noqa: BLE001 - the edge: everything is answered
            if interaction.type is discord.InteractionType.application_command:
                await answer_error(interaction, error)
            return False
        return True


class PastelBot(PastelClient):
    """The complete bot; `open_services` is called once, when it starts."""

    def __init__(
        self,
        open_services: Callable[[], Awaitable[Services]],
        *,
        guild_ids: tuple[int, ...],
        shards: int,
        pace: Pace,
        mention_after_seconds: float,
        stop_seconds: float,
        user_install: bool = False,
        make_page: Callable[[Services, Languages], Page] | None = None,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            shard_count=shards or None,  # None: as many as Discord recommends
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),  # to hear what was deleted
            tree_cls=_PastelTree,
            allowed_installs=_EVERYWHERE if user_install else discord.utils.MISSING,
            allowed_contexts=_IN_ALL_CHANNELS if user_install else discord.utils.MISSING,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            http_trace=answers_to(self._hear_status),
        )
        self.languages = Languages.shipped()
        self.drafts = Drafts()
        self.questions = ShownQuestions()
        self.command_ids = {}
        self._open_services = open_services
        self._guild_ids = guild_ids
        self._pace = pace
        self._mention_after = mention_after_seconds
        self._stop_seconds = stop_seconds
        self._chores = Periodic(self.do_chores, seconds=_CHORES)
        self._departures: Mailbox[None] = Mailbox(self._end_elsewhere)
        self._memberships = Memberships(lambda: self.guilds)
        self._make_page = make_page
        self._page: Page | None = None
        self._delivery: Delivery | None = None
        self._posts: GalleryPosts | None = None
        self._begun: BegunMessages | None = None

    async def setup_hook(self) -> None:
        """Open the services, show Discord our commands, and give the queue to the worker."""
        services = self.services = await self._open_services()
        services.watchdog.start()
        delivery = self._delivery = self.messages = self._make_delivery(services)
        self._begun = self.begun = BegunMessages(self, services.begun_messages, clock=services.clock)
        posts = self._posts = self.posts = GalleryPosts(
            self, services.gallery, services.key_values, self.languages, clock=services.clock
        )
        for feature in (components, *features.ALL):
            await feature.setup(self)
        await sync_commands(self, self._guild_ids)
        await delivery.recover()
        await services.dispatcher.start(self._publish)
        posts.start()
        channel = services.settings.alerts.channel
        await services.monitor.start(None if channel is None else AlertMessages(self, channel).send)
        self._chores.start(first=_FIRST_CHORES)
        if self._make_page is not None:
            self._page = self._make_page(services, self.languages)
            log.info("web page", address=await self._page.start())

    def _publish(self, update: Update) -> None:
        """Show what has become of a job where it belongs: in a message, or on the web page, served or not."""
        if update.job.on_page:
            self.services.page_jobs.publish(update)
        elif self._delivery is not None:
            self._delivery.publish(update)

    def _hear_status(self, status: int) -> None:
        """Count what Discord refuses, from the start on."""
        if self._delivery is not None:
            self.services.monitor.refusals.note(status)

    def _make_delivery(self, services: Services) -> Delivery:
        review_messages = ReviewMessages(self, services.jobs, services.reviews, self.languages)
        return Delivery(
            self,
            services.jobs,
            review_messages,
            self.languages,
            pace=self._pace,
            mention_after=self._mention_after,
            usual=render.usual_of(services),
        )

    async def on_shard_connect(self, shard_id: int) -> None:
        """Note that Discord's gateway is there, and which servers were left while it was away."""
        self.services.monitor.health.connected(shard_id, of=self.shard_count or 1)
        self._memberships.shard_connected(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that Discord's gateway is there again."""
        self.services.monitor.health.connected(shard_id, of=self.shard_count or 1)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that Discord's gateway went away."""
        self.services.monitor.health.disconnected(shard_id)
        self._memberships.shard_lost(shard_id)

    async def on_shard_ready(self, _shard_id: int) -> None:
        """End the jobs of servers that were left while the shard was away."""
        self._departures.put(None)

    async def on_ready(self) -> None:
        """Say so in the log, and end the jobs of servers that were left meanwhile."""
        log.info("online", user=str(self.user), servers=len(self.guilds), shards=self.shard_count)
        self._departures.put(None)

    async def on_guild_join(self, guild: discord.Guild, /) -> None:
        """Note that the bot is in a server."""
        self._memberships.joined(guild.id)

    async def on_guild_available(self, guild: discord.Guild, /) -> None:
        """Note that the bot is in a server that it may have been put out of meanwhile."""
        self._memberships.joined(guild.id)

    async def on_guild_remove(self, _guild: discord.Guild, /) -> None:
        """End the jobs of a server that the bot has left; one that is only unavailable is not removed."""
        self._departures.put(None)

    async def _end_elsewhere(self, _item: None) -> None:
        if self.is_ready():  # before that, servers of other shards would seem to be left
            await self.services.jobs.end_elsewhere(self._memberships.ids())

    async def on_message(self, message: discord.Message, /) -> None:
        """Do nothing: the bot does not read what users write."""

    async def do_chores(self) -> None:
        """Do what is due by itself."""
        self.services.housekeeping.watch_database()
        await self.services.housekeeping.sweep()
        await self.services.reviews.expire()
        await self.services.admin.purge()
        if self._begun is not None:
            await self._begun.clean_up()
        if self._posts is not None:
            await self._posts.best_of()

    async def close(self) -> None:
        """Stop giving out work, put back what is unfinished, and leave Discord, whatever that does, in time."""
        delivery, posts = self._delivery, self._posts
        self._delivery = self._posts = None
        if delivery is not None and posts is not None:
            await finish_within(
                self._stop_seconds * _WORK_SHARE,
                self.services.dispatcher.close(),
                self.services.monitor.close(),
                self.services.tagging.close(),
                self._chores.close(),
                self._departures.close(),
                self._remove_cogs(),
                delivery.close(),
                self.services.page_jobs.close(),
                self._close_page(),
                posts.close(),
            )
            await finish_within(self._stop_seconds * _LEAVING_SHARE, self.services.database.close())
            self.services.watchdog.stop()
        await finish_within(self._stop_seconds * _LEAVING_SHARE, super().close())

    async def _close_page(self) -> None:
        if self._page is not None:
            await self._page.close()

    async def _remove_cogs(self) -> None:
        for name in tuple(self.cogs):
            await self.remove_cog(name)
