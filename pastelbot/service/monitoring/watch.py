"""Watch: looks every half minute at what the operator should hear of, and offers alerts."""

import asyncio
from collections.abc import Iterator

from pastelbot.jobs.background import Periodic
from pastelbot.service.monitoring.alerts import Alert, AlertKind, Alerts
from pastelbot.service.monitoring.metrics import Metrics
from pastelbot.service.monitoring.refusals import Refusals
from pastelbot.store.database import Database
from pastelbot.store.maintenance.checking import WAY_OUT
from pastelbot.store.maintenance.disk_space import DiskSpace, database_bytes

_SECONDS = 30.0
_MANY = 20  # refusals in ten minutes
_WHY = {
    401: "The token or what it may do has changed: see the log.",
    403: "A permission is missing: see the log, and the bot's role in the server.",
    429: "The bot sends more than Discord allows: raise discord.edit_seconds.",
}


class Watch:
    """Offers an alert for whatever is wrong just now, again and again; `Alerts` decides what is sent."""

    def __init__(
        self,
        alerts: Alerts,
        metrics: Metrics,
        refusals: Refusals,
        database: Database,
        space: DiskSpace,
        *,
        database_alarm: float,
    ) -> None:
        self._alerts = alerts
        self._metrics = metrics
        self._refusals = refusals
        self._database = database
        self._space = space
        self._database_alarm = database_alarm
        self._losses_told = 0
        self._timer = Periodic(self.look, seconds=_SECONDS)

    def start(self) -> None:
        """Look from now on."""
        self._timer.start(first=_SECONDS)

    async def close(self) -> None:
        """Look no longer."""
        await self._timer.close()

    async def look(self) -> None:
        """Look once."""
        losses = self._metrics.losses
        for alert in (*self._worker(losses - self._losses_told), *self._discord(), *await self._disk()):
            if await self._alerts.offer(alert) and alert.kind is AlertKind.WORKER:
                self._losses_told = losses

    def _worker(self, losses: int) -> Iterator[Alert]:
        if losses:
            often = "once" if losses == 1 else f"{losses} times"
            text = f"It ended {often} and is started again. The last time: {self._metrics.last_loss}."
            yield Alert(kind=AlertKind.WORKER, title="The worker was lost", text=text)

    def _discord(self) -> Iterator[Alert]:
        recent = self._refusals.recent()
        if recent.total() >= _MANY:
            status, _times = recent.most_common(1)[0]
            why = _WHY.get(status, "Discord has an outage.")
            text = f"{recent.total()} requests in ten minutes, most often with status {status}. {why}"
            yield Alert(kind=AlertKind.DISCORD, title="Discord refuses requests", text=text)

    async def _disk(self) -> list[Alert]:
        found = []
        if self._database.is_damaged:
            found.append(Alert(kind=AlertKind.DATABASE, title="The database is damaged", text=WAY_OUT))
        if await self._space.is_short():
            text = "Painting pauses below storage.min_free_mib, and goes on by itself when there is space again."
            found.append(Alert(kind=AlertKind.DISK, title="The disk is full", text=text))
        size = await asyncio.to_thread(database_bytes, self._database.path)
        if 0 < self._database_alarm < size:
            text = f"{size / 2**30:.1f} GiB: move it to a larger disk, or raise storage.database_alarm_gib."
            found.append(Alert(kind=AlertKind.SIZE, title="The database is large", text=text))
        return found
