"""Fair scheduling as pure functions: the rank that decides which user's job is next.

A job's rank is how much its owner wants and had lately: its own turns, those of the owner's jobs queued before it, and
those given out to the owner before. The lowest rank is next. A turn is a picture of the usual work; a larger one is
more than one turn, a smaller one is not less. So each user's next picture comes before any user's second one, four
pictures in one job rank like the last of four jobs, and a user who had much lately comes after one who had little.

Every half-life halves what lies back: turns given out, and turns asked for. That a job asked for long ago weighs less
than the same job asked for now is what keeps newcomers from passing it for ever. As everything halves at the same
pace, ranks can be compared without looking at the clock: they are logarithms of turns as they would weigh at one
fixed moment, and change only when something is given out to the owner or leaves the line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pastelbot.store.jobs.rows import QueuedJob

NOTHING = -math.inf
MOST_SHOWN_EXACTLY = 10
_SMALL = 0.25  # of the largest work that is left of a running job


def turns(work: int, count: int, default_work: int) -> float:
    """Return how many turns `count` pictures of this work together are."""
    return max(float(count), work / default_work)


def weight(amount: float, at: float) -> float:
    """Return the logarithm of turns that lie at a time, which is in half-lives."""
    return math.log2(amount) + at if amount > 0 else NOTHING


def joined(first: float, second: float) -> float:
    """Return the logarithm of the sum of two amounts, given by their logarithms."""
    low, high = sorted((first, second))
    return high if low == NOTHING else high + math.log2(1 + 2 ** (low - high))


def without(whole: float, part: float) -> float:
    """Return the logarithm of an amount less a part of it; what only rounding left over is nothing."""
    if whole - part < 1e-9:
        return NOTHING
    return whole if part == NOTHING else whole + math.log2(1 - 2 ** (part - whole))


@dataclass(kw_only=True, eq=False)
class RunningWork:
    """A job that the worker has, and how much of its work is left."""

    job: QueuedJob
    work_left: float

    @property
    def owner(self) -> int:
        """Return the user to whom it belongs."""
        return self.job.user_id


def admit(
    head: Sequence[QueuedJob], others: Sequence[QueuedJob], running: Sequence[RunningWork], *, at_once: int
) -> list[QueuedJob]:
    """Return the waiting jobs that the worker gets now, besides those that it has, which are `running`.

    `head` are the first waiting jobs in the order of their ranks, `others` the first job of each user of whom nothing
    runs. The slots, `at_once`, are filled from the head. Where none is left, each of the others gets one, and the
    engine pauses a job of a user who has several. Where no user has several, only a job that is much smaller than what
    runs is let in, as a large one would merely slow down those that came first. The worker never has more than twice
    as many jobs as there are slots.

    A job during which a worker died is painted alone, so that it cannot take others down a second time.
    """
    if any(one.job.attempts for one in running):
        return []
    chosen = _from_head(head, len(running), at_once)
    if head and head[0].attempts:
        return chosen
    users = {one.job.user_id for one in running} | {job.user_id for job in chosen}
    largest = max((one.work_left for one in running), default=0.0)
    for job in others:
        if not at_once <= len(running) + len(chosen) < 2 * at_once:
            break
        slot = len(users) < at_once or job.work <= _SMALL * largest
        if slot and job.user_id not in users and not job.attempts:
            chosen.append(job)
            users.add(job.user_id)
    return chosen


def _from_head(head: Sequence[QueuedJob], running: int, at_once: int) -> list[QueuedJob]:
    """Return the jobs from the head of the queue for which there are slots; a suspect is alone or the next."""
    chosen: list[QueuedJob] = []
    for job in head:
        suspect = job.attempts > 0
        if running + len(chosen) >= at_once or (suspect and (running or chosen)):
            break
        chosen.append(job)
        if suspect:
            break
    return chosen


def shown_position(place: int) -> int:
    """Return the position as shown: exact up to 10, then rounded up to tens, from 100 on to hundreds."""
    if place <= MOST_SHOWN_EXACTLY:
        return place
    step = 10 if place <= 100 else 100
    return -(-place // step) * step
