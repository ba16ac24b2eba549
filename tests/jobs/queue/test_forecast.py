"""When waiting jobs will be ready, beside what a simulated worker then does."""

import statistics

import pytest
from helpers.queue_simulation import (
    CALL,
    CARD,
    EFFORT_A_SECOND,
    LITTLE,
    ROWS,
    Simulation,
    all_at_once,
    errors,
    one_by_one,
)

from pastelbot.jobs.queue.forecast import work_until_painted, work_until_ready
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.rules.timing.fair_shares import denoising_effort
from pastelbot.store.jobs.rows import QueuedJob


def job(name, work=100, *, attempts=0):
    return QueuedJob(id=name, user_id=ord(name[0]), created_at=0.0, work=work, count=1, attempts=attempts)


def forecast(running, queue, *, at_once=2, most=10):
    """Return the work until each job of the queue is ready; `running` are jobs and what is left of them."""
    now = [RunningWork(job=one, work_left=left) for one, left in running]
    return {name: round(work) for name, work in work_until_ready(now, queue, most=most, at_once=at_once).items()}


def test_jobs_that_run_together_are_ready_together():
    assert forecast([], [job("a1"), job("b1"), job("c1"), job("d1")]) == {"a1": 200, "b1": 200, "c1": 400, "d1": 400}


def test_what_runs_is_counted_by_what_is_left_of_it():
    assert forecast([(job("a1"), 50), (job("b1"), 100)], [job("c1")]) == {"c1": 250}


def test_a_newcomer_has_half_of_the_worker_however_many_the_other_has():
    large = [(job(f"a{number}", 10_000), 10_000) for number in range(2)]

    assert forecast(large, [job("b1", 100), job("a9", 100)])["b1"] == 200


def test_those_behind_take_their_shares():
    """A large job is ready later where small ones keep coming in beside it."""
    few = forecast([], [job("a1", 1000), job("b1", 1000)])
    many = forecast([], [job("a1", 1000), job("b1", 1000), job("c1", 200), job("d1", 200)])

    assert few == {"a1": 2000, "b1": 2000}
    assert many["c1"] == many["d1"] == 800
    assert many["a1"] == many["b1"] == 2400


def test_a_suspect_has_the_worker_for_itself():
    queue = [job("a1"), job("b1", attempts=1), job("c1")]

    assert forecast([], queue) == {"a1": 100, "b1": 200, "c1": 300}


def test_only_as_many_are_answered_for_as_are_asked_for():
    assert set(forecast([], [job("a1"), job("b1"), job("c1")], most=2)) == {"a1", "b1"}
    assert forecast([], []) == {}


@pytest.mark.parametrize(("users", "jobs"), [(3, 20), (8, 40), (30, 60)])
def test_times_are_right_for_mixed_loads(users, jobs):
    """Nine of ten within 30 %, half of them within 15 %, of jobs that all wait when they are promised."""
    found = []
    for seed in range(2):
        found += errors(Simulation(all_at_once(seed, users=users, jobs=jobs)).run())

    assert len(found) > jobs // 2
    assert statistics.median(found) < 0.15
    assert statistics.quantiles(found, n=10)[-1] < 0.3


def test_times_are_right_where_others_keep_coming():
    """Who comes later, and has the right to go first, cannot be foreseen: so eight of ten."""
    found = errors(Simulation(one_by_one(0, users=12, seconds=1500, a_second=0.1)).run())

    assert len(found) > 30
    assert statistics.median(found) < 0.15
    assert statistics.quantiles(found, n=5)[-1] < 0.3


def test_a_small_job_beside_four_large_ones_takes_twice_its_own_time_and_a_step():
    (alone,) = Simulation([(0.0, 2, LITTLE)]).run()
    hogs = [(0.0, 1, CARD)] * 4
    step = 4 * (denoising_effort(960 * 1280, ROWS) / EFFORT_A_SECOND + CALL)
    for at in (1.0, 5.0, 12.0, 20.0):
        *_large, small = Simulation([*hogs, (at, 2, LITTLE)]).run()
        assert small.ready - small.came <= 2 * (alone.ready - alone.came) + step


def test_every_user_goes_on_while_small_jobs_keep_coming():
    """A large job has its share of the worker, whichever jobs come."""
    little = [(float(second), 10 + second, LITTLE) for second in range(1, 120)]
    large, *_ = Simulation([(0.0, 1, CARD), *little], at_once=1).run()
    (alone,) = Simulation([(0.0, 1, CARD)], at_once=1).run()

    assert large.ready <= 2 * alone.ready


def test_what_runs_is_ready_by_the_shares_of_all_who_paint():
    running = [RunningWork(job=job(name), work_left=left) for name, left in (("a1", 50), ("b1", 100))]

    assert work_until_painted(running, at_once=2) == {"a1": 100, "b1": 150}
    assert work_until_painted(running[:1], at_once=2) == {"a1": 50}
