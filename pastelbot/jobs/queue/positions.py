"""Queue positions as last shown, and which messages need an update.

Ten thousand messages cannot be edited whenever a job leaves the queue. So distant positions are shown rounded, the
estimated time is a timestamp that Discord counts down, and only stale messages are updated: those of the first jobs at
once, the others a few at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pastelbot.jobs.queue.forecast import work_until_ready
from pastelbot.jobs.queue.scheduler import RunningWork, shown_position
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue

_LEAST_DRIFT = 20.0  # seconds
_DRIFT = 0.2  # of the time that is left
_NEAR = 48  # jobs whose times are forecast in detail
_RECENT = timedelta(seconds=1)
_BEHIND = 40  # jobs behind them that are taken into account


@dataclass(frozen=True, kw_only=True)
class Place:
    """A position as shown: rounded where it is far back, with the estimated time of completion."""

    position: int
    ready_at: datetime | None = None
    paused: bool = False
    interruption: str = ""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What is ahead of the whole queue: the running jobs, in the order in which the workers got them."""

    running: tuple[RunningWork, ...] = ()
    workers: int = 1
    delay: float = 0.0  # seconds until there is a worker

    @property
    def jobs(self) -> int:
        """Return how many there are."""
        return len(self.running)

    @property
    def work(self) -> float:
        """Return their remaining work."""
        return sum(one.work_left for one in self.running)

    def at_work(self, jobs: int) -> int:
        """Return how many workers have something to do while there are so many jobs: they are shared out evenly."""
        return max(1, min(self.workers, jobs))


class QueuePositions:
    """Looks up positions, and remembers those shown; `at_once` jobs are painted together by each worker."""

    def __init__(self, queue: WaitQueue, throughput: Throughput, *, at_once: int) -> None:
        self._wait_queue = queue
        self._throughput = throughput
        self._at_once = at_once
        self._shown: dict[str, Place] = {}
        self.worker_lost = self.no_space = ""  # why nothing is painted; shown at every position while it lasts
        self._near: dict[str, float] = {}  # as last forecast
        self._forecast_at: datetime | None = None

    @property
    def interruption(self) -> str:
        """Return why nothing is painted, "" where painting goes on."""
        return self.worker_lost or self.no_space

    def mark_shown(self, job_id: str, ahead: Ahead, now: datetime) -> Place | None:
        """Return a waiting job's position and record it as shown; None where it does not wait."""
        job = self._wait_queue.get(job_id)
        if job is None:
            return None
        number, before = self._wait_queue.before(job_id)
        paused = job.guild_id in self._wait_queue.held_guilds()
        near = self._forecast(ahead, now) if number < _NEAR and not paused else {}
        number += ahead.jobs + 1
        work = near.get(job_id, ahead.work + before + job.work) / ahead.at_work(number)
        place = self._place(number, self._seconds(work, ahead), now, paused=paused)
        self._shown[job_id] = place
        return place

    def forget(self, job_id: str) -> None:
        """Forget the shown position of a job that no longer waits; those behind it are ready earlier."""
        self._shown.pop(job_id, None)
        self._forecast_at = None

    def stale(self, ahead: Ahead, now: datetime, *, depth: int, most: int) -> dict[str, Place]:
        """Return the stale positions, recorded as shown, of at most `most` of the first `depth` queued jobs."""
        found = dict(islice(self._changed(ahead, now, depth), most))
        self._shown.update(found)
        return found

    def _changed(self, ahead: Ahead, now: datetime, depth: int) -> Iterator[tuple[str, Place]]:
        number, work, held = ahead.jobs, ahead.work, self._wait_queue.held_guilds()
        near = self._recent_forecast(ahead, now)
        for job in islice(self._wait_queue, depth):
            shown, paused = self._shown.get(job.id), job.guild_id in held
            if not paused:
                number, work = number + 1, work + job.work
            until_ready = self._seconds(near.get(job.id, work) / ahead.at_work(number), ahead)
            if (
                shown is None
                or self._differs(shown, paused=paused)
                or (not paused and self._wrong(shown, number, until_ready, now))
            ):
                yield job.id, self._place(number + paused, until_ready, now, paused=paused)

    def _recent_forecast(self, ahead: Ahead, now: datetime) -> dict[str, float]:
        """Return a forecast of the last second in which no job left: it takes as long as a few database lookups."""
        at = self._forecast_at
        return self._near if at is not None and at <= now < at + _RECENT else self._forecast(ahead, now)

    def _forecast(self, ahead: Ahead, now: datetime) -> dict[str, float]:
        """Return the work until each of the next jobs is ready; farther back it is all that is before, and its own."""
        if self._throughput.seconds_for(1) is None:
            return {}
        queue = self._wait_queue.head(_NEAR + _BEHIND)
        self._near = work_until_ready(ahead.running, queue, most=_NEAR, at_once=self._at_once * ahead.workers)
        self._forecast_at = now
        return self._near

    def _differs(self, shown: Place, *, paused: bool) -> bool:
        return shown.paused != paused or shown.interruption != self.interruption

    def _seconds(self, work: float, ahead: Ahead) -> float | None:
        seconds = None if self.interruption else self._throughput.seconds_for(work)
        return None if seconds is None else seconds + ahead.delay

    def _wrong(self, shown: Place, number: int, seconds: float | None, now: datetime) -> bool:
        return shown.position != shown_position(number) or self._drifted(shown, seconds, now)

    def _drifted(self, shown: Place, seconds: float | None, now: datetime) -> bool:
        if seconds is None:
            return False
        if shown.ready_at is None:
            return True
        wrong = abs((shown.ready_at - now).total_seconds() - seconds)
        return wrong > max(_LEAST_DRIFT, _DRIFT * seconds)

    def _place(self, number: int, seconds: float | None, now: datetime, *, paused: bool) -> Place:
        ready_at = None if seconds is None or paused else now + timedelta(seconds=seconds)
        return Place(position=shown_position(number), ready_at=ready_at, paused=paused, interruption=self.interruption)
