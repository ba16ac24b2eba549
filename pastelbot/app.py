"""Composition root: creates and connects all parts of the bot."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.bot.client import Page, PastelBot
from pastelbot.bot.messages.message_slot import Pace
from pastelbot.config import Settings, WorkerOptions
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.executors.worker_group import WorkerGroup, make_workers
from pastelbot.jobs.loop_watchdog import LoopWatchdog
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.jobs.tagger.rating import RatingExecutor
from pastelbot.jobs.tagger.tagger_process import Describer, TaggerProcess
from pastelbot.options import default_work
from pastelbot.service.access import AccessPolicy
from pastelbot.service.admin import Admin
from pastelbot.service.audit import AuditTrail
from pastelbot.service.gallery import Gallery
from pastelbot.service.housekeeping import Housekeeping
from pastelbot.service.models.models import Models
from pastelbot.service.monitoring.metrics import Metrics
from pastelbot.service.monitoring.monitor import Monitor, Monitored
from pastelbot.service.page.page_jobs import PageJobs
from pastelbot.service.page.sign_in import SignIn
from pastelbot.service.personal_data.personal_data import PersonalData
from pastelbot.service.quotas import Quotas
from pastelbot.service.rates import Rates
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.checking import RequestChecker
from pastelbot.service.requests.history import PictureHistory
from pastelbot.service.requests.preferences import Preferences
from pastelbot.service.requests.presets import Presets
from pastelbot.service.requests.submission import JobService, random_seed
from pastelbot.service.reviews import Reviews
from pastelbot.service.services import Services
from pastelbot.service.tagging import Describing
from pastelbot.service.tags.dictionary import Tags
from pastelbot.service.visibility import Visibility
from pastelbot.store.confirmations import ConfirmationStore
from pastelbot.store.database import Database
from pastelbot.store.gallery import GalleryStore
from pastelbot.store.jobs.begun_messages import BegunMessageStore
from pastelbot.store.jobs.init_adoption import adopt_init_pictures
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.key_values import KeyValueStore
from pastelbot.store.maintenance.disk_space import DiskSpace
from pastelbot.store.moderation.audit import AuditLog
from pastelbot.store.moderation.blocks import BlockStore
from pastelbot.store.moderation.pauses import Pauses
from pastelbot.store.moderation.reviews import ReviewStore
from pastelbot.store.personal_data import PersonalStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.presets import PresetStore
from pastelbot.store.quotas import QuotaStore
from pastelbot.store.settings import SettingsStore
from pastelbot.store.stats import StatsStore
from pastelbot.store.tags.search import TagStore
from pastelbot.store.tags.sets import TagSets
from pastelbot.store.web.sign_in import SignInStore
from pastelbot.tagging.files import TaggerOptions


@dataclass(frozen=True, kw_only=True)
class _Stores:
    """All stores, each created once."""

    jobs: JobStore
    begun_messages: BegunMessageStore
    files: PictureFiles
    settings: SettingsStore
    blocks: BlockStore
    pauses: Pauses
    audit: AuditLog
    key_values: KeyValueStore
    quotas: QuotaStore
    presets: PresetStore
    confirmations: ConfirmationStore
    reviews: ReviewStore
    gallery: GalleryStore
    personal: PersonalStore
    stats: StatsStore
    tags: TagStore
    tag_sets: TagSets
    sign_in: SignInStore


@dataclass(frozen=True, kw_only=True)
class _Core:
    """The database, the queue and the worker, on which all else is built."""

    settings: Settings
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    database: Database
    stores: _Stores
    access: AccessPolicy
    audit: AuditTrail
    dispatcher: Dispatcher
    checker: RequestChecker
    models: Models
    service: JobService
    tagger: Describer | None
    watchdog: LoopWatchdog
    monitor: Monitor


def build(
    settings: Settings,
    *,
    executor: Executor | None = None,
    describer: Describer | None = None,
    clock: Callable[[], datetime] | None = None,
    first_retry: float = 5.0,
    monotonic: Callable[[], float] = time.monotonic,
    make_page: Callable[[Services, Languages], Page] | None = None,
) -> PastelBot:
    """Return the complete bot, not started: `await bot.start(token)` or `bot.login` opens everything.

    `executor` replaces the worker process, `describer` the tagger process (where the tagger is on), `clock` the
    system's wall clock, and `monotonic` the clock that measures durations. What ends a job is shown
    again `first_retry` seconds after Discord did not take it. `make_page` is what serves the web page beside the bot.
    """

    async def open_now() -> Services:
        return await open_services(settings, executor=executor, describer=describer, clock=clock, monotonic=monotonic)

    discord = settings.discord
    return PastelBot(
        open_now,
        guild_ids=discord.guild_ids,
        shards=discord.shards,
        pace=Pace(edit_seconds=discord.edit_seconds, first_retry=first_retry),
        mention_after_seconds=discord.mention_after_seconds,
        stop_seconds=settings.worker.stop_seconds,
        user_install=discord.user_install,
        make_page=make_page,
    )


async def open_services(
    settings: Settings,
    *,
    executor: Executor | None = None,
    describer: Describer | None = None,
    clock: Callable[[], datetime] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Services:
    """Open everything below Discord; the parameters are those of `build`. Raises DatabaseError."""
    core = await _core(settings, executor, describer, clock=clock or _utc_now, monotonic=monotonic)
    return await _services(core)


async def _core(
    settings: Settings,
    executor: Executor | None,
    describer: Describer | None,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> _Core:
    """Open the database, and connect the parts that queue and paint jobs."""
    database = await Database.open(settings.storage.database, durable=settings.storage.durable)
    stores = await _stores(settings, database, clock)
    tagger = (describer or TaggerProcess(tagger_options(settings))) if settings.tagger.enabled else None
    access = AccessPolicy(settings, stores.settings, stores.blocks, stores.pauses, clock=clock)
    audit = AuditTrail(stores.audit, clock=clock)
    workers = [executor] if executor is not None else make_workers(WorkerOptions.of(settings))
    space, metrics = _disk_space(settings), Metrics()
    group = WorkerGroup(workers, stall_seconds=settings.worker.stall_seconds) if len(workers) > 1 else workers[0]
    executor = _rated(group, tagger, settings)
    dispatcher = _dispatcher(settings, stores, executor, space, metrics, clock=clock, monotonic=monotonic)
    models = Models(settings, stores.key_values, dispatcher, audit)
    await models.open()
    checker = RequestChecker(settings, access, models.names, stores.files)
    monitored = Monitored(
        dispatcher=dispatcher,
        watchdog=LoopWatchdog(),
        database=database,
        space=space,
        notes=stores.key_values,
        processes={"bot": os.getpid, **_named(workers), "tagger": _pid_of(tagger)},
    )
    return _Core(
        settings=settings,
        clock=clock,
        monotonic=monotonic,
        database=database,
        stores=stores,
        access=access,
        audit=audit,
        dispatcher=dispatcher,
        checker=checker,
        models=models,
        service=JobService(stores.jobs, dispatcher, checker, audit, stores.files, models, clock=clock),
        tagger=tagger,
        watchdog=monitored.watchdog,
        monitor=Monitor(settings, metrics, monitored, clock=clock, monotonic=monotonic),
    )


def _dispatcher(
    settings: Settings,
    stores: _Stores,
    executor: Executor,
    space: DiskSpace,
    metrics: Metrics,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Dispatcher:
    return Dispatcher(
        stores.jobs,
        executor,
        stores.files,
        at_once=settings.worker.jobs_at_once,
        stall_seconds=settings.worker.stall_seconds,
        clock=clock,
        queue=_wait_queue(settings, stores.pauses, clock),
        notes=stores.key_values,
        is_short_of_space=space.is_short,
        observer=metrics,
        monotonic=monotonic,
    )


async def _stores(settings: Settings, database: Database, clock: Callable[[], datetime]) -> _Stores:
    """Create the stores; nothing else opens or wraps the database."""
    servers = SettingsStore(database)
    pauses = Pauses(servers)
    await pauses.load()
    files = PictureFiles(settings.storage.pictures, database, durable=settings.storage.durable)
    await adopt_init_pictures(database, files)
    return _Stores(
        jobs=JobStore(database),
        begun_messages=BegunMessageStore(database),
        files=files,
        settings=servers,
        blocks=BlockStore(database),
        pauses=pauses,
        audit=AuditLog(database),
        key_values=KeyValueStore(database),
        quotas=QuotaStore(database),
        presets=PresetStore(database),
        confirmations=ConfirmationStore(database, files),
        reviews=ReviewStore(database),
        gallery=GalleryStore(database),
        personal=PersonalStore(database),
        stats=StatsStore(database),
        tags=TagStore(database),
        tag_sets=TagSets(database, clock=lambda: clock().timestamp()),
        sign_in=SignInStore(database),
    )


async def _services(core: _Core) -> Services:
    """Connect the services besides painting."""
    settings, stores, clock = core.settings, core.stores, core.clock
    access, audit, dispatcher, service = core.access, core.audit, core.dispatcher, core.service
    jobs, files, servers = stores.jobs, stores.files, stores.settings
    tags = Tags(stores.tags, stores.tag_sets, settings.tags, access)
    await tags.open()
    reviews = Reviews(settings, stores.reviews, jobs, access, audit, dispatcher, servers, clock=clock)
    visibility = Visibility(access, jobs, stores.gallery)
    preferences, presets = Preferences(servers, audit), Presets(settings, stores.presets, access, audit, clock=clock)
    return Services(
        settings=settings,
        database=core.database,
        key_values=stores.key_values,
        builder=RequestBuilder(
            settings, access, core.checker, preferences, presets, core.models, random_seed=random_seed
        ),
        checker=core.checker,
        preferences=preferences,
        presets=presets,
        begun_messages=stores.begun_messages,
        confirmations=stores.confirmations,
        dispatcher=dispatcher,
        jobs=service,
        models=core.models,
        tags=tags,
        quotas=Quotas(settings, stores.quotas, servers, access, audit, clock=clock),
        rates=Rates(settings.limits),
        watchdog=core.watchdog,
        monitor=core.monitor,
        access=access,
        reviews=reviews,
        admin=Admin(settings, servers, stores.blocks, access, jobs, dispatcher, audit, stores.stats, clock=clock),
        tagging=Describing(core.tagger, access, per_minute=settings.tagger.describes_per_minute, clock=core.monotonic),
        history=PictureHistory(jobs, files, visibility),
        visibility=visibility,
        housekeeping=Housekeeping(settings.storage, files, clock=clock),
        gallery=_gallery(core, reviews, visibility),
        page_jobs=PageJobs(service, reviews, dispatcher),
        sign_in=SignIn(settings, stores.sign_in, clock=clock),
        personal_data=PersonalData(stores.personal, dispatcher, files),
        clock=clock,
    )


def _gallery(core: _Core, reviews: Reviews, visibility: Visibility) -> Gallery:
    stores = core.stores
    return Gallery(
        stores.gallery,
        stores.jobs,
        core.service,
        core.access,
        core.audit,
        stores.files,
        stores.settings,
        visibility,
        adult=reviews.is_adult,
        clock=core.clock,
    )


def tagger_options(settings: Settings) -> TaggerOptions:
    """Return the tagger's options from the settings; its downloads follow those of checkpoints."""
    chosen = settings.tagger
    return TaggerOptions(
        repo=chosen.repo,
        path=chosen.path,
        revision=chosen.revision,
        offline=settings.checkpoint.offline,
        cache_dir=settings.checkpoint.cache_dir,
        general_threshold=chosen.general_threshold,
        character_threshold=chosen.character_threshold,
        threads=chosen.threads,
    )


def _wait_queue(settings: Settings, pauses: Pauses, clock: Callable[[], datetime]) -> WaitQueue:
    return WaitQueue(
        default_work=default_work(settings),
        half_life=settings.quota.half_life_minutes * 60,
        epoch=clock().timestamp(),
        held=pauses.is_paused,
    )


def _named(workers: Sequence[Executor]) -> dict[str, Callable[[], int | None]]:
    """Return what tells each worker's process id, under the names of the metrics."""
    if len(workers) == 1:
        return {"worker": _pid_of(workers[0])}
    return {f"worker_{number}": _pid_of(worker) for number, worker in enumerate(workers)}


def _pid_of(process: object) -> Callable[[], int | None]:
    return lambda: getattr(process, "pid", None)


def _disk_space(settings: Settings) -> DiskSpace:
    storage = settings.storage
    return DiskSpace((storage.database.parent, storage.pictures), least=int(storage.min_free_mib * 2**20))


def _rated(executor: Executor, tagger: Describer | None, settings: Settings) -> Executor:
    return RatingExecutor(executor, tagger) if tagger is not None and settings.tagger.rate_pictures else executor


def _utc_now() -> datetime:
    return datetime.now(UTC)
