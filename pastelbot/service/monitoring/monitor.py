"""Monitor: connects metrics, health and endpoint with what they look at."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pastelbot.config import MonitoringSettings
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.loop_watchdog import LoopWatchdog
from pastelbot.service.monitoring.endpoint import Endpoint
from pastelbot.service.monitoring.health import Health
from pastelbot.service.monitoring.metrics import Figure, Metrics
from pastelbot.store.database import Database
from pastelbot.store.maintenance.disk_space import DiskSpace, database_bytes


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """What is looked at; `processes` gives process ids by name."""

    dispatcher: Dispatcher
    watchdog: LoopWatchdog
    database: Database
    space: DiskSpace
    processes: Mapping[str, Callable[[], int | None]]


class Monitor:
    """What an operator's monitoring reads of the bot."""

    def __init__(
        self,
        settings: MonitoringSettings,
        metrics: Metrics,
        parts: Monitored,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        metrics.look_up(_figures(parts), parts.processes)
        reader = parts.database.reader
        self.health = Health(
            queue=lambda: parts.dispatcher.state, database=lambda: reader.value("SELECT 1"), monotonic=monotonic
        )
        self._endpoint = Endpoint(
            host=settings.host, port=settings.port, report=self.health.report, metrics=metrics.text
        )
        self._is_on = settings.port > 0

    async def start(self) -> None:
        """Serve, unless it is switched off."""
        if self._is_on:
            await self._endpoint.start()

    async def close(self) -> None:
        """Serve no longer."""
        await self._endpoint.close()


def _figures(parts: Monitored) -> Iterator[Figure]:
    """Yield what is looked up at each scrape."""
    dispatcher, watchdog, path = parts.dispatcher, parts.watchdog, parts.database.path
    yield Figure(name="pastelbot_queue_jobs", text="Waiting jobs", value=lambda: dispatcher.state.waiting)
    yield Figure(name="pastelbot_running_jobs", text="Jobs with the worker", value=lambda: dispatcher.state.running)
    yield Figure(
        name="pastelbot_worker_ready", text="1 while the worker takes jobs", value=lambda: dispatcher.state.ready
    )
    yield Figure(
        name="pastelbot_loop_stalls", text="Stalls of the event loop", value=lambda: watchdog.stalls, counts=True
    )
    yield Figure(
        name="pastelbot_loop_stalled_seconds",
        text="Total length of these stalls",
        value=lambda: watchdog.stalled_seconds,
        counts=True,
    )
    yield Figure(name="pastelbot_disk_free_bytes", text="Free space for pictures and database", value=parts.space.free)
    yield Figure(name="pastelbot_database_bytes", text="Size of the database", value=lambda: database_bytes(path))
