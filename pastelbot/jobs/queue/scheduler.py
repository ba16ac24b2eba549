"""Fair scheduling as pure functions: the rank that decides which user's job is next.

A job's rank is how much its owner wants and had lately: its own turns, those of the owner's jobs before it in line, and
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

from pastelbot.store.jobs.rows import QueuedJob

NOTHING = -math.inf
MOST_SHOWN_EXACTLY = 10


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


def admit(line: Sequence[QueuedJob], running: Sequence[QueuedJob], *, at_once: int) -> list[QueuedJob]:
    """Return the jobs from the head of the line that may start now, at most `at_once` with those running.

    A job during which a worker died is painted alone, so that it cannot take others down a second time.
    """
    if any(job.attempts for job in running):
        return []
    chosen: list[QueuedJob] = []
    for job in line:
        suspect = job.attempts > 0
        if len(running) + len(chosen) >= at_once or (suspect and (running or chosen)):
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
