"""The composition root: puts the parts together and knows all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.bot.client import Backend, PastelBot
from pastelbot.config import Settings, checkpoint_location
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.process_executor import ProcessExecutor
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.jobs.rating import RatingExecutor
from pastelbot.jobs.tagger_process import Describer, TaggerProcess
from pastelbot.jobs.worker import CheckpointSource, WorkerOptions
from pastelbot.service.access import AccessPolicy
from pastelbot.service.admin import Admin
from pastelbot.service.gallery import Gallery
from pastelbot.service.housekeeping import Housekeeping
from pastelbot.service.models.models import Models
from pastelbot.service.personal_data.personal_data import PersonalData
from pastelbot.service.quotas import Quotas, default_work
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.history import PictureHistory
from pastelbot.service.requests.preferences import Preferences
from pastelbot.service.requests.presets import Presets
from pastelbot.service.requests.submission import Service, random_seed
from pastelbot.service.reviews import Reviews
from pastelbot.service.tagging import Describing
from pastelbot.service.tags.dictionary import Tags
from pastelbot.store.audit import AuditLog
from pastelbot.store.blocks import BlockStore
from pastelbot.store.confirmations import ConfirmationStore
from pastelbot.store.database import Database
from pastelbot.store.gallery import GalleryStore
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.key_values import KeyValueStore
from pastelbot.store.personal_data import PersonalStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.presets import PresetStore
from pastelbot.store.quotas import QuotaStore
from pastelbot.store.reviews import ReviewStore
from pastelbot.store.settings import SettingsStore
from pastelbot.store.stats import StatsStore
from pastelbot.tagging.files import TaggerOptions


@dataclass(frozen=True, kw_only=True)
class _Core:
    """What everything else is built on."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    jobs: JobStore
    files: PictureFiles
    access: AccessPolicy
    dispatcher: Dispatcher
    service: Service
    tagger: Describer | None


def build(
    settings: Settings,
    *,
    executor: Executor | None = None,
    describer: Describer | None = None,
    clock: Callable[[], datetime] | None = None,
) -> PastelBot:
    """Return the complete bot, not started: `await bot.start(token)` or `bot.login` opens everything.

    `executor` paints instead of the worker process, `describer` describes instead of the tagger's process (where the
    tagger is on), `clock` tells the time instead of the system's clock.
    """

    async def open_backend() -> Backend:
        return await _backend(await _core(settings, executor, describer, clock or _utc_now))

    discord = settings.discord
    return PastelBot(
        open_backend,
        guild_ids=discord.guild_ids,
        edit_seconds=discord.edit_seconds,
        mention_after_seconds=discord.mention_after_seconds,
    )


async def _core(
    settings: Settings, executor: Executor | None, describer: Describer | None, clock: Callable[[], datetime]
) -> _Core:
    """Open the database, and put together what takes jobs in and has them painted."""
    database = await Database.open(settings.storage.database)
    jobs, files = JobStore(database), PictureFiles(settings.storage.pictures, database)
    tagger = (describer or TaggerProcess(tagger_options(settings))) if settings.tagger.enabled else None
    access = await AccessPolicy.open(settings, database, clock=clock)
    dispatcher = Dispatcher(
        jobs,
        _rated(executor or ProcessExecutor(worker_options(settings)), tagger, settings),
        files,
        at_once=settings.worker.jobs_at_once,
        stall_seconds=settings.worker.stall_seconds,
        clock=clock,
        queue=_wait_queue(settings, access, clock),
        notes=KeyValueStore(database),
    )
    models = Models(settings, database, dispatcher, clock=clock)
    await models.open()
    return _Core(
        settings=settings,
        clock=clock,
        database=database,
        jobs=jobs,
        files=files,
        access=access,
        dispatcher=dispatcher,
        service=Service(settings, jobs, dispatcher, access, files, models, clock=clock),
        tagger=tagger,
    )


async def _backend(core: _Core) -> Backend:
    """Put together what people do besides painting."""
    settings, database, clock = core.settings, core.database, core.clock
    jobs, access, files = core.jobs, core.access, core.files
    dispatcher, servers, audit = core.dispatcher, SettingsStore(database), AuditLog(database)
    tags = Tags(database, settings.tags, access, clock=clock)
    await tags.open()
    reviews = Reviews(settings, ReviewStore(database), jobs, access, dispatcher, servers, clock=clock)
    blocks, stats = BlockStore(database), StatsStore(database)
    preferences, presets = Preferences(servers, access), Presets(settings, PresetStore(database), access, clock=clock)
    shared = GalleryStore(database)
    return Backend(
        database=database,
        builder=RequestBuilder(settings, core.service, access, preferences, presets, random_seed=random_seed),
        preferences=preferences,
        presets=presets,
        confirmations=ConfirmationStore(database),
        dispatcher=dispatcher,
        service=core.service,
        tags=tags,
        quotas=Quotas(settings, QuotaStore(database), servers, audit, clock=clock),
        access=access,
        reviews=reviews,
        admin=Admin(settings, servers, blocks, access, jobs, dispatcher, audit, stats, clock=clock),
        describing=Describing(core.tagger, access, per_minute=settings.tagger.describes_per_minute, clock=clock),
        history=PictureHistory(jobs, files, access),
        housekeeping=Housekeeping(settings.storage, files, clock=clock),
        gallery=Gallery(shared, jobs, core.service, access, files, servers, adult=reviews.is_adult, clock=clock),
        mydata=PersonalData(PersonalStore(database), jobs, dispatcher, files),
        clock=clock,
    )


def worker_options(settings: Settings) -> WorkerOptions:
    """Return what the worker needs to know of the settings."""
    chosen = settings.checkpoint
    return WorkerOptions(
        checkpoint=checkpoint_location(chosen.path),
        name=chosen.name,
        vae=chosen.vae,
        checkpoints={
            name: CheckpointSource(path=checkpoint_location(one.path), vae=one.vae, revision=one.revision)
            for name, one in settings.checkpoints.items()
        },
        vaes=settings.vaes,
        checkpoints_in_memory=settings.worker.checkpoints_in_memory,
        upscalers=chosen.upscalers,
        loras=chosen.loras,
        embeddings=chosen.embeddings,
        revision=chosen.revision,
        offline=chosen.offline,
        cache_dir=chosen.cache_dir,
        device=chosen.device,
        precision=chosen.precision,
        threads=settings.worker.threads,
        preview_steps=settings.worker.preview_steps,
        taesd=chosen.taesd,
    )


def tagger_options(settings: Settings) -> TaggerOptions:
    """Return what the tagger needs to know of the settings; its downloads follow those of checkpoints."""
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


def _wait_queue(settings: Settings, access: AccessPolicy, clock: Callable[[], datetime]) -> WaitQueue:
    return WaitQueue(
        default_work=default_work(settings),
        half_life=settings.quota.half_life_minutes * 60,
        epoch=clock().timestamp(),
        held=access.pauses.is_paused,
    )


def _rated(executor: Executor, tagger: Describer | None, settings: Settings) -> Executor:
    return RatingExecutor(executor, tagger) if tagger is not None and settings.tagger.rate_pictures else executor


def _utc_now() -> datetime:
    return datetime.now(UTC)
