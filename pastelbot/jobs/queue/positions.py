"""Queue positions as last shown, and which messages need an update.

Ten thousand messages cannot be edited whenever a job leaves the queue. So distant positions are shown rounded, the
estimated time is a timestamp that Discord counts down, and only stale messages are updated: those of the first jobs at
once, the others a few at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pastelbot.jobs.queue.scheduler import shown_position
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue

_LEAST_DRIFT = 20.0  # seconds
_DRIFT = 0.2  # of the time that is left


@dataclass(frozen=True, kw_only=True)
class Place:
    """A position as shown: rounded where it is far back, with the estimated time of completion."""

    position: int
    ready_at: datetime | None = None
    paused: bool = False
    interruption: str = ""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What is ahead of the whole queue: the running jobs, and their remaining work."""

    jobs: int = 0
    work: float = 0.0


class QueuePositions:
    """Looks up positions, and remembers those shown."""

    def __init__(self, queue: WaitQueue, throughput: Throughput) -> None:
        self._wait_queue = queue
        self._throughput = throughput
        self._shown: dict[str, Place] = {}
        self.interruption = ""  # why nothing is painted; shown at every position while it lasts

    def mark_shown(self, job_id: str, ahead: Ahead, now: datetime) -> Place | None:
        """Return a waiting job's position and record it as shown; None where it does not wait."""
        job = self._wait_queue.get(job_id)
        if job is None:
            return None
        number, work = self._wait_queue.before(job_id)
        paused = job.guild_id in self._wait_queue.held_guilds()
        place = self._place(ahead.jobs + number + 1, ahead.work + work + job.work, now, paused=paused)
        self._shown[job_id] = place
        return place

    def forget(self, job_id: str) -> None:
        """Forget the shown position of a job that no longer waits."""
        self._shown.pop(job_id, None)

    def stale(self, ahead: Ahead, now: datetime, *, depth: int, most: int) -> dict[str, Place]:
        """Return the stale positions, recorded as shown, of at most `most` of the first `depth` queued jobs."""
        found = dict(islice(self._changed(ahead, now, depth), most))
        self._shown.update(found)
        return found

    def _changed(self, ahead: Ahead, now: datetime, depth: int) -> Iterator[tuple[str, Place]]:
        number, work, held = ahead.jobs, ahead.work, self._wait_queue.held_guilds()
        for job in islice(self._wait_queue, depth):
            shown, paused = self._shown.get(job.id), job.guild_id in held
            if not paused:
                number, work = number + 1, work + job.work
            if (
                shown is None
                or self._differs(shown, paused=paused)
                or (not paused and self._wrong(shown, number, work, now))
            ):
                yield job.id, self._place(number + paused, work + job.work * paused, now, paused=paused)

    def _differs(self, shown: Place, *, paused: bool) -> bool:
        return shown.paused != paused or shown.interruption != self.interruption

    def _wrong(self, shown: Place, number: int, work: float, now: datetime) -> bool:
        return shown.position != shown_position(number) or self._drifted(shown, work, now)

    def _drifted(self, shown: Place, work: float, now: datetime) -> bool:
        seconds = None if self.interruption else self._throughput.seconds_for(work)
        if seconds is None:
            return False
        if shown.ready_at is None:
            return True
        wrong = abs((shown.ready_at - now).total_seconds() - seconds)
        return wrong > max(_LEAST_DRIFT, _DRIFT * seconds)

    def _place(self, number: int, work: float, now: datetime, *, paused: bool) -> Place:
        seconds = None if paused or self.interruption else self._throughput.seconds_for(work)
        ready_at = None if seconds is None else now + timedelta(seconds=seconds)
        return Place(position=shown_position(number), ready_at=ready_at, paused=paused, interruption=self.interruption)
