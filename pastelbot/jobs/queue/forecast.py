"""Forecast of when the first waiting jobs will be ready: a simulation of the queue and of the engine's shares.

Jobs flow as in the engine: each user who has a job in the worker has the same share of its work, which the user's jobs
in slots divide by their sizes, as each of them advances by a step a turn. Whenever one is ready, `scheduler.admit` lets
the next ones in. No new job is expected.
"""

from collections.abc import Iterable, Sequence

from pastelbot.jobs.queue import scheduler
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.rules.timing.fair_shares import in_slots
from pastelbot.store.jobs.rows import QueuedJob

_SIZE = 0.75  # between 1, as if all jobs had as many steps, and 0, as if all steps were equal; the best in simulations
_LEAST = 1.0  # work; less is left only by rounding


def work_until_ready(
    running: Iterable[RunningWork], queue: Sequence[QueuedJob], *, most: int, at_once: int
) -> dict[str, float]:
    """Return the work, of all jobs together, that the worker will have done when each of the next jobs is ready.

    `running` are the jobs that the worker has, in the order in which it got them; `queue` the waiting ones, of which
    the first `most` are answered for. Those behind them still matter: they share the worker with large jobs before
    them.
    """
    flows = [RunningWork(job=one.job, work_left=max(_LEAST, one.work_left)) for one in running]
    waiting, ready, done = list(queue), dict[str, float](), 0.0
    awaited = {job.id for job in waiting[:most]}
    while len(ready) < len(awaited):
        while admitted := _admitted(flows, waiting, at_once):
            flows += admitted
        done += _advance(flows, at_once)
        for flow in [flow for flow in flows if flow.work_left < _LEAST]:
            flows.remove(flow)
            if flow.job.id in awaited:
                ready[flow.job.id] = done
    return ready


def work_until_painted(running: Iterable[RunningWork], *, at_once: int) -> dict[str, float]:
    """Return the work, of all running jobs together, that the worker will have done when each of them is ready.

    Nothing that waits is counted: it may let them wait longer.
    """
    flows = [RunningWork(job=one.job, work_left=max(_LEAST, one.work_left)) for one in running]
    ready, done = dict[str, float](), 0.0
    while flows:
        done += _advance(flows, at_once)
        ready |= {flow.job.id: done for flow in flows if flow.work_left < _LEAST}
        flows = [flow for flow in flows if flow.work_left >= _LEAST]
    return ready


def _admitted(flows: Sequence[RunningWork], waiting: list[QueuedJob], at_once: int) -> list[RunningWork]:
    """Take the jobs that the worker gets now out of the waiting ones."""
    if not waiting or len(flows) >= 2 * at_once:
        return []
    chosen = scheduler.admit(waiting[:at_once], _first_of_others(flows, waiting, at_once), flows, at_once=at_once)
    ids = {job.id for job in chosen}
    if ids:
        waiting[:] = [job for job in waiting if job.id not in ids]
    return [RunningWork(job=job, work_left=max(_LEAST, float(job.work))) for job in chosen]


def _first_of_others(flows: Sequence[RunningWork], waiting: Sequence[QueuedJob], most: int) -> list[QueuedJob]:
    """Return the first waiting job of each user who has none in the worker, at most so many."""
    seen = {flow.owner for flow in flows}
    found: list[QueuedJob] = []
    for job in waiting:
        if job.user_id not in seen:
            seen.add(job.user_id)
            found.append(job)
            if len(found) == most:
                break
    return found


def _advance(flows: Sequence[RunningWork], at_once: int) -> float:
    """Let the jobs advance until the next one is ready; return the work that this takes."""
    holding = in_slots(flows, at_once)
    rates: list[tuple[RunningWork, float]] = []
    for mine in holding.values():
        together = sum(_speed(flow) for flow in mine)
        rates += [(flow, _speed(flow) / together / len(holding)) for flow in mine]
    work = min(flow.work_left / rate for flow, rate in rates)
    for flow, rate in rates:
        flow.work_left -= work * rate
    return work


def _speed(flow: RunningWork) -> float:
    """Return how fast a job advances beside others of its user: each does a step a turn, and large jobs larger ones."""
    return float(max(1, flow.job.work) ** _SIZE)
