"""Health: whether members can use the bot just now, part by part."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pastelbot.errors import StoreError
from pastelbot.jobs.dispatcher import QueueState

OK = "ok"
_PATIENCE = 5.0  # seconds for the database
_GRACE = 120.0  # seconds in which Discord's gateway may be away: it reconnects by itself


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """What works, by part: "ok", "loading", "unloaded", or a sentence that says what is wrong."""

    discord: str
    painting: str
    database: str

    @property
    def is_healthy(self) -> bool:
        """Return whether members can use the bot; a worker that loads or is unloaded is no fault."""
        return self.discord == OK and self.database == OK and self.painting in {OK, "loading", "unloaded"}


class Health:
    """Looks at the parts; `connected` and `disconnected` are called by the client as its gateway comes and goes."""

    def __init__(
        self,
        *,
        queue: Callable[[], QueueState],
        database: Callable[[], Awaitable[object]],
        monotonic: Callable[[], float] = time.monotonic,
        patience: float = _PATIENCE,
    ) -> None:
        self._queue = queue
        self._database = database
        self._monotonic = monotonic
        self._patience = patience
        self._away_since: float | None = monotonic()

    def connected(self) -> None:
        """Note that Discord's gateway is there."""
        self._away_since = None

    def disconnected(self) -> None:
        """Note that Discord's gateway went away; calls while it is away change nothing."""
        if self._away_since is None:
            self._away_since = self._monotonic()

    async def report(self) -> HealthReport:
        """Look at all parts."""
        return HealthReport(discord=self._discord(), painting=self._painting(), database=await self._ask_database())

    def _discord(self) -> str:
        away = 0.0 if self._away_since is None else self._monotonic() - self._away_since
        return OK if away <= _GRACE else f"not connected for {away:.0f} s"

    def _painting(self) -> str:
        state = self._queue()
        if state.interruption:
            return state.interruption.removeprefix("⚠️ ")
        if state.unloaded:
            return "unloaded"
        return OK if state.ready else "loading"

    async def _ask_database(self) -> str:
        try:
            await asyncio.wait_for(self._database(), self._patience)
        except TimeoutError:
            return f"no answer in {self._patience:g} s"
        except StoreError as error:
            return str(error)
        return OK
