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
        self._away_since: dict[int, float | None] = {0: monotonic()}  # by shard

    def connected(self, shard: int = 0, *, of: int = 1) -> None:
        """Note that Discord's gateway is there for a shard, one of so many."""
        for number in range(of):
            self._away_since.setdefault(number, self._monotonic())
        self._away_since[shard] = None

    def disconnected(self, shard: int = 0) -> None:
        """Note that Discord's gateway went away for a shard; calls while it is away change nothing."""
        if self._away_since.get(shard) is None:
            self._away_since[shard] = self._monotonic()

    @property
    def shards_away(self) -> int:
        """Return how many shards have no gateway just now."""
        return sum(since is not None for since in self._away_since.values())

    async def report(self) -> HealthReport:
        """Look at all parts."""
        return HealthReport(discord=self._discord(), painting=self._painting(), database=await self._ask_database())

    def _discord(self) -> str:
        away = {shard: self._monotonic() - since for shard, since in self._away_since.items() if since is not None}
        longest = max(away, key=lambda shard: away[shard], default=None)
        if longest is None or away[longest] <= _GRACE:
            return OK
        what = "" if len(self._away_since) == 1 else f"shard {longest} is "
        return f"{what}not connected for {away[longest]:.0f} s"

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
