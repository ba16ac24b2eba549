"""The bot's life: opened in `setup_hook`, closed in `close`."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import check_command
from pastelbot.bot.components.confirmation import PlanButton
from pastelbot.bot.components.job_buttons import JobButton
from pastelbot.bot.features.admin.cog import AdminGroup
from pastelbot.bot.features.admin.groups import CapsGroup, ChannelsGroup, GalleryGroup, WordsGroup
from pastelbot.bot.features.admin.quota import QuotaGroup
from pastelbot.bot.features.describe.cog import DescribeCog
from pastelbot.bot.features.describe.views import PaintTagsButton
from pastelbot.bot.features.gallery.cog import GalleryCog
from pastelbot.bot.features.gallery.views import EntryButton, PageButton
from pastelbot.bot.features.grid import GridCog
from pastelbot.bot.features.help.cog import HelpCog
from pastelbot.bot.features.imagine import ImagineCog
from pastelbot.bot.features.model import ModelCog
from pastelbot.bot.features.personal_data.cog import PersonalDataCog
from pastelbot.bot.features.personal_data.views import ForgetButton
from pastelbot.bot.features.presets import PromptPresetsCog
from pastelbot.bot.features.quota.cog import QuotaCog
from pastelbot.bot.features.recreate import RecreateCog
from pastelbot.bot.features.remix import RemixCog
from pastelbot.bot.features.reviews.views import ReviewButton
from pastelbot.bot.features.settings.cog import settings_commands
from pastelbot.bot.features.status import InfoCog
from pastelbot.bot.features.tags.cog import TagsCog
from pastelbot.bot.features.tags.views import TagPageButton
from pastelbot.bot.localisation import CommandTranslator
from pastelbot.bot.messages.deletions import Deletions
from pastelbot.bot.messages.delivery import Delivery
from pastelbot.bot.messages.gallery_posts import GalleryPosts
from pastelbot.bot.messages.review_messages import ReviewMessages
from pastelbot.bot.responses import answer_error
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.background import Periodic
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.service import server_rules
from pastelbot.service.access import AccessPolicy
from pastelbot.service.admin import Admin
from pastelbot.service.gallery import Gallery
from pastelbot.service.housekeeping import Housekeeping
from pastelbot.service.personal_data.personal_data import PersonalData
from pastelbot.service.quotas import Quotas
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.checking import RequestChecker
from pastelbot.service.requests.history import PictureHistory
from pastelbot.service.requests.preferences import Preferences
from pastelbot.service.requests.presets import Presets
from pastelbot.service.requests.submission import Service
from pastelbot.service.reviews import Reviews
from pastelbot.service.tagging import Describing
from pastelbot.service.tags.dictionary import Tags
from pastelbot.store.confirmations import ConfirmationStore
from pastelbot.store.database import Database
from pastelbot.store.key_values import KeyValueStore

_FIRST_CHORES = 60.0
_CHORES = 3600.0

log = structlog.get_logger(__name__)


class PastelTree(app_commands.CommandTree["PastelBot"]):
    """Commands whose last-resort errors are answered too."""

    async def on_error(
        self, interaction: "discord.Interaction[PastelBot]", error: app_commands.AppCommandError, /
    ) -> None:
        """Answer privately."""
        await answer_error(interaction, error)

    async def interaction_check(self, interaction: "discord.Interaction[PastelBot]", /) -> bool:
        """Answer commands only where the house lets the bot answer, and `/admin` only for those who may."""
        try:
            await check_command(interaction, interaction.client.resources.access)
        except Exception as error:  # noqa: BLE001 - the edge: everything is answered
            if interaction.type is discord.InteractionType.application_command:
                await answer_error(interaction, error)
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Backend:
    """What is opened before Discord is met: everything below the bot layer."""

    database: Database
    key_values: KeyValueStore
    dispatcher: Dispatcher
    service: Service
    tags: Tags
    quotas: Quotas
    access: AccessPolicy
    reviews: Reviews
    admin: Admin
    describing: Describing
    history: PictureHistory
    housekeeping: Housekeeping
    gallery: Gallery
    mydata: PersonalData
    builder: RequestBuilder
    checker: RequestChecker
    preferences: Preferences
    presets: Presets
    confirmations: ConfirmationStore
    clock: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What commands and buttons use."""

    service: Service
    delivery: Delivery
    access: AccessPolicy
    tags: Tags
    reviews: Reviews
    gallery: Gallery
    posts: GalleryPosts
    mydata: PersonalData
    builder: RequestBuilder
    checker: RequestChecker
    presets: Presets
    history: PictureHistory
    confirmations: ConfirmationStore
    clock: Callable[[], datetime]


class PastelBot(commands.Bot):
    """The complete bot; `open_backend` is called once, when it starts."""

    def __init__(
        self,
        open_backend: Callable[[], Awaitable[Backend]],
        *,
        guild_ids: tuple[int, ...],
        edit_seconds: float,
        mention_after_seconds: float,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),  # to hear what was deleted
            tree_cls=PastelTree,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self.languages = Languages.shipped()
        self._open_backend = open_backend
        self._guild_ids = guild_ids
        self._edit_seconds = edit_seconds
        self._mention_after = mention_after_seconds
        self._backend: Backend | None = None
        self._resources: Resources | None = None
        self._chores: Periodic | None = None
        self._deletions: Deletions | None = None

    @property
    def resources(self) -> Resources:
        """What commands use; there from `setup_hook` on."""
        if self._resources is None:
            raise RuntimeError("the bot has not been started")
        return self._resources

    async def setup_hook(self) -> None:
        """Open the database, show Discord our commands, and give the queue to the worker."""
        backend = self._backend = await self._open_backend()
        review_messages = ReviewMessages(self, backend.service, backend.reviews, self.languages)
        delivery = Delivery(
            self,
            backend.service,
            review_messages,
            self.languages,
            edit_seconds=self._edit_seconds,
            mention_after=self._mention_after,
        )
        key_values = backend.key_values
        posts = GalleryPosts(self, backend.gallery, key_values, self.languages, clock=backend.clock)
        deletions = self._deletions = Deletions(backend.gallery, backend.reviews, posts)
        self._resources = Resources(
            service=backend.service,
            delivery=delivery,
            access=backend.access,
            tags=backend.tags,
            reviews=backend.reviews,
            gallery=backend.gallery,
            posts=posts,
            mydata=backend.mydata,
            builder=backend.builder,
            checker=backend.checker,
            presets=backend.presets,
            history=backend.history,
            confirmations=backend.confirmations,
            clock=backend.clock,
        )
        await self._add_making(backend)
        await self.add_cog(InfoCog(backend.service))
        await self.add_cog(HelpCog(backend.service))
        await self.add_cog(QuotaCog(backend.quotas))
        await self.add_cog(ModelCog(backend.service.models))
        await self.add_cog(TagsCog(backend.tags))
        self.add_dynamic_items(TagPageButton)
        recreate = RecreateCog(backend.service, backend.builder)
        await self.add_cog(recreate)
        self.tree.add_command(recreate.menu)
        describe = DescribeCog(backend.describing)
        await self.add_cog(describe)
        self.tree.add_command(describe.menu)
        gallery = GalleryCog(backend.gallery, posts, deletions)
        await self.add_cog(gallery)
        self.tree.add_command(gallery.menu)
        await self.add_cog(PersonalDataCog(backend.mydata))
        self.tree.add_command(self._admin_group(backend, posts))
        self.add_dynamic_items(EntryButton, PageButton, ForgetButton)
        self.add_dynamic_items(JobButton, PaintTagsButton, ReviewButton)
        translator = CommandTranslator(self.languages)
        await self.tree.set_translator(translator)
        await self._sync(key_values, translator)
        await backend.dispatcher.start(delivery.publish)
        posts.start()
        self._chores = Periodic(self._do_chores, seconds=_CHORES)
        self._chores.start(first=_FIRST_CHORES)

    async def _add_making(self, backend: Backend) -> None:
        """Add what makes pictures, and what is set for it."""
        service, builder, presets = backend.service, backend.builder, backend.presets
        prompts, remix = PromptPresetsCog(service, builder, presets), RemixCog(service, builder)
        for cog in (ImagineCog(builder, backend.history), GridCog(builder), prompts, remix):
            await self.add_cog(cog)
        for menu in (prompts.menu, remix.menu):
            self.tree.add_command(menu)
        self.tree.add_command(settings_commands(service, builder, backend.preferences))
        self.add_dynamic_items(PlanButton)

    def _admin_group(self, backend: Backend, posts: GalleryPosts) -> AdminGroup:
        """Return `/admin` with all that is below it."""
        admin, group = backend.admin, AdminGroup(backend.admin)
        group.add_command(ChannelsGroup(admin))
        group.add_command(CapsGroup(admin))
        group.add_command(WordsGroup(admin, "words", server_rules.WORDS, "Words that are not painted here"))
        group.add_command(
            WordsGroup(admin, "adult_tags", server_rules.ADULT_TAGS, "Own tags for age-restricted channels only")
        )
        group.add_command(GalleryGroup(admin, backend.gallery, posts))
        group.add_command(QuotaGroup(backend.quotas, backend.access))
        return group

    async def on_ready(self) -> None:
        """Say so in the log."""
        log.info("online", user=str(self.user), servers=len(self.guilds))

    async def on_message(self, message: discord.Message, /) -> None:
        """Do nothing: what people write is none of the bot's business."""

    async def _do_chores(self) -> None:
        """Do what is due by itself."""
        if self._backend is not None:
            await self._backend.housekeeping.sweep()
            await self._backend.reviews.expire()
            await self._backend.admin.purge()
        await self.resources.posts.best_of()

    async def close(self) -> None:
        """Stop giving out work, put back what is unfinished, and leave Discord."""
        backend, self._backend = self._backend, None
        if self._chores is not None:
            await self._chores.close()
        if self._deletions is not None:
            await self._deletions.close()
        if backend is not None:
            await backend.dispatcher.close()
            await backend.describing.close()
            await self.resources.delivery.close()
            await self.resources.posts.close()
            await backend.database.close()
        await super().close()

    async def _sync(self, key_values: KeyValueStore, translator: app_commands.Translator) -> None:
        """Send the commands to Discord, but only where they have changed: 200 a day may be created."""
        guilds: list[discord.abc.Snowflake | None] = [discord.Object(number) for number in self._guild_ids] or [None]
        digest = await self._digest(translator)
        for guild in guilds:
            name = f"commands:{self.application_id}:{guild.id if guild is not None else 'global'}"
            if guild is not None:
                self.tree.copy_global_to(guild=guild)
            there = {command.name for command in await self.tree.fetch_commands(guild=guild)}
            ours = {command.name for command in self.tree.get_commands(guild=guild)}
            if there != ours or await key_values.get(name) != digest:
                await self.tree.sync(guild=guild)
                await key_values.set(name, digest)
                log.info("commands sent to Discord", commands=len(ours))

    async def _digest(self, translator: app_commands.Translator) -> str:
        payload = [await command.get_translated_payload(self.tree, translator) for command in self.tree.get_commands()]
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
