import pytest

from pastelbot.jobs.queue.scheduler import NOTHING, RunningWork, admit, joined, shown_position, turns, weight, without
from pastelbot.store.jobs.rows import QueuedJob


def job(name, *, attempts=0, work=100):
    return QueuedJob(id=name, user_id=ord(name[0]), created_at=0.0, work=work, count=1, attempts=attempts)


def running(*jobs, left=1.0):
    return [RunningWork(job=one, work_left=one.work * left) for one in jobs]


def admitted(waiting, *now, at_once, left=1.0):
    """Return the names of the admitted jobs, of a queue that is written in its order."""
    users = {one.user_id for one in now}
    others = {one.user_id: one for one in reversed(waiting) if one.user_id not in users}
    found = admit(waiting[:at_once], list(others.values())[::-1], running(*now, left=left), at_once=at_once)
    return [one.id for one in found]


def test_slots_are_filled_from_the_head():
    waiting = [job("a1"), job("b1"), job("c1")]

    assert admitted(waiting, job("d0"), at_once=3) == ["a1", "b1"]
    assert admitted(waiting, job("d0"), at_once=1) == []


def test_one_user_alone_gets_all_slots():
    waiting = [job(f"a{number}") for number in range(6)]

    assert admitted(waiting, at_once=4) == ["a0", "a1", "a2", "a3"]


def test_a_newcomer_is_admitted_though_one_user_has_all_slots():
    """Also behind the other one's waiting jobs, and whatever its size; a second job of the newcomer waits."""
    hogs = [job(f"a{number}") for number in range(4)]

    assert admitted([job("a4"), job("b0", work=900), job("b1")], *hogs, at_once=4) == ["b0"]
    assert admitted([job("b1")], *hogs, job("b0"), at_once=4) == []


def test_each_waiting_user_gets_a_slot_as_long_as_another_one_has_several():
    hogs = [job(f"a{number}") for number in range(4)]
    waiting = [job(name) for name in ("b0", "c0", "d0", "e0")]

    assert admitted(waiting, *hogs, at_once=4) == ["b0", "c0", "d0"]


def test_where_each_user_has_one_slot_only_a_small_job_is_let_in():
    ones = [job(name) for name in ("a0", "b0")]

    assert admitted([job("c0", work=26), job("d0", work=25)], *ones, at_once=2) == ["d0"]
    assert admitted([job("d0", work=25)], *ones, at_once=2, left=0.9) == []
    assert admitted([job("d0", work=1)], job("a0"), at_once=1) == ["d0"]


def test_the_worker_has_at_most_twice_as_many_jobs_as_slots():
    waiting = [job(name, work=1) for name in ("c0", "d0", "e0", "f0")]

    assert admitted(waiting, job("a0"), job("b0"), at_once=2) == ["c0", "d0"]


def test_a_suspect_is_painted_alone():
    """After a crash each suspect runs by itself, so the guilty one takes no other along."""
    suspect, other = job("a1", attempts=1), job("b1")

    assert admitted([suspect, other], at_once=4) == ["a1"]
    assert admitted([suspect, other], job("c0"), at_once=4) == []
    assert admitted([other], suspect, at_once=4) == []
    assert admitted([other, suspect], at_once=4) == ["b1"]


def test_newcomers_do_not_pass_a_suspect_that_is_next():
    """Or it would never find the worker empty; and none comes in beside the slots."""
    hogs = [job("c0"), job("c1")]

    assert admitted([job("a1", attempts=1), job("b1")], *hogs, at_once=2) == []
    assert admitted([job("c2"), job("a1", attempts=1), job("b1")], *hogs, at_once=2) == ["b1"]


def test_a_turn_is_a_picture_and_a_large_picture_is_more():
    assert turns(100, 1, 100) == 1
    assert turns(10, 1, 100) == 1
    assert turns(400, 4, 100) == 4
    assert turns(300, 1, 100) == 3
    assert turns(600, 2, 100) == 6


def test_amounts_are_added_and_taken_away_by_their_logarithms():
    assert joined(weight(3, 0), weight(5, 0)) == pytest.approx(weight(8, 0))
    assert without(weight(8, 0), weight(5, 0)) == pytest.approx(weight(3, 0))
    assert without(weight(8, 5), weight(8, 5)) == NOTHING
    assert joined(NOTHING, weight(2, 7)) == weight(2, 7) == weight(4, 6)
    assert weight(0, 100) == NOTHING


def test_places_far_back_are_told_roughly():
    assert [shown_position(place) for place in (1, 2, 10)] == [1, 2, 10]
    assert [shown_position(place) for place in (11, 20, 21, 99, 100)] == [20, 20, 30, 100, 100]
    assert [shown_position(place) for place in (101, 9_999)] == [200, 10_000]
