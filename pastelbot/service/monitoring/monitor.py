"""Monitor: connects metrics, health and endpoint with what they look at."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pastelbot.config import Settings
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.jobs.loop_watchdog import LoopWatchdog
from pastelbot.service.monitoring.alerts import Alerts, Notes, Send
from pastelbot.service.monitoring.endpoint import Endpoint
from pastelbot.service.monitoring.health import Health
from pastelbot.service.monitoring.metrics import Figure, Metrics
from pastelbot.service.monitoring.refusals import Refusals
from pastelbot.service.monitoring.watch import Watch
from pastelbot.store.database import Database
from pastelbot.store.maintenance.disk_space import DiskSpace, database_bytes


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """What is looked at; `processes` gives process ids by name."""

    dispatcher: Dispatcher
    watchdog: LoopWatchdog
    database: Database
    space: DiskSpace
    notes: Notes
    processes: Mapping[str, Callable[[], int | None]]


class Monitor:
    """What an operator's monitoring reads of the bot."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        parts: Monitored,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refusals = Refusals(monotonic=monotonic)
        reader = parts.database.reader
        health = self.health = Health(
            queue=lambda: parts.dispatcher.state, database=lambda: reader.value("SELECT 1"), monotonic=monotonic
        )
        metrics.look_up((*_figures(parts), _refused(self.refusals), _away(health)), parts.processes)
        address = settings.monitoring
        self._endpoint = Endpoint(host=address.host, port=address.port, report=self.health.report, metrics=metrics.text)
        self._is_on = address.port > 0
        self._alerts = Alerts(parts.notes, clock=clock, quiet_seconds=settings.alerts.quiet_minutes * 60)
        alarm = settings.storage.database_alarm_gib * 2**30
        self.watch = Watch(self._alerts, metrics, self.refusals, parts.database, parts.space, database_alarm=alarm)

    async def start(self, send: Send | None) -> None:
        """Serve, unless it is switched off, and send alerts, where there is a channel for them."""
        if self._is_on:
            await self._endpoint.start()
        if send is not None:
            self._alerts.send = send
            self.watch.start()

    async def close(self) -> None:
        """Serve and send no longer."""
        await self.watch.close()
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
        name="pastelbot_worker_unloaded",
        text="1 while the worker is unloaded because there is nothing to do",
        value=lambda: dispatcher.state.unloaded,
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


def _away(health: Health) -> Figure:
    return Figure(
        name="pastelbot_shards_away", text="Shards without Discord's gateway", value=lambda: health.shards_away
    )


def _refused(refusals: Refusals) -> Figure:
    text = "Answers of Discord with status 401, 403, 429 and 5xx"
    return Figure(name="pastelbot_discord_refusals", text=text, value=lambda: refusals.total, counts=True)
