"""The composition root: puts the parts together and knows all of them."""

from collections.abc import Callable
from datetime import UTC, datetime

from pastelbot.bot.client import Backend, PastelBot
from pastelbot.config import BUNDLED, Settings, bundled_checkpoint
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.process_executor import ProcessExecutor
from pastelbot.jobs.worker import WorkerOptions
from pastelbot.service.gallery import Gallery, rated_adult
from pastelbot.service.house import House
from pastelbot.service.housekeeping import Housekeeping
from pastelbot.service.jobs import Service
from pastelbot.service.mydata import MyData
from pastelbot.service.tags import Tags
from pastelbot.store.database import Database
from pastelbot.store.gallery import GalleryStore
from pastelbot.store.jobs import JobStore
from pastelbot.store.personal import PersonalStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.settings import SettingsStore


def build(
    settings: Settings, *, executor: Executor | None = None, clock: Callable[[], datetime] | None = None
) -> PastelBot:
    """Return the complete bot, not started: `await bot.start(token)` or `bot.login` opens everything.

    `executor` paints instead of the worker process, `clock` tells the time instead of the system's clock.
    """
    now = clock or _utc_now

    async def open_backend() -> Backend:
        database = await Database.open(settings.storage.database)
        jobs = JobStore(database)
        files = PictureFiles(settings.storage.pictures, database)
        dispatcher = Dispatcher(
            jobs,
            executor or ProcessExecutor(worker_options(settings)),
            files,
            at_once=settings.worker.jobs_at_once,
            stall_seconds=settings.worker.stall_seconds,
            clock=now,
        )
        house = House(settings, SettingsStore(database))
        service = Service(settings, jobs, dispatcher, house, files, clock=now)
        tags = Tags(database, settings.tags, house, clock=now)
        await tags.open()
        return Backend(
            database=database,
            dispatcher=dispatcher,
            service=service,
            tags=tags,
            housekeeping=Housekeeping(settings.storage, files, clock=now),
            gallery=Gallery(
                GalleryStore(database),
                jobs,
                service,
                house,
                files,
                SettingsStore(database),
                adult=rated_adult,
                clock=now,
            ),
            mydata=MyData(PersonalStore(database), jobs, dispatcher, files, clock=now),
            clock=now,
        )

    return PastelBot(open_backend, guild_ids=settings.discord.guild_ids, edit_seconds=settings.discord.edit_seconds)


def worker_options(settings: Settings) -> WorkerOptions:
    """Return what the worker needs to know of the settings."""
    chosen = settings.checkpoint
    return WorkerOptions(
        checkpoint=str(bundled_checkpoint()) if chosen.path == BUNDLED else chosen.path,
        vae=chosen.vae,
        upscalers=chosen.upscalers,
        revision=chosen.revision,
        offline=chosen.offline,
        cache_dir=chosen.cache_dir,
        device=chosen.device,
        precision=chosen.precision,
        threads=settings.worker.threads,
        preview_steps=settings.worker.preview_steps,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)
