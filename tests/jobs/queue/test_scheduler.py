import pytest

from pastelbot.jobs.queue.scheduler import NOTHING, admit, joined, shown_position, turns, weight, without
from pastelbot.store.jobs.rows import QueuedJob


def job(name, *, attempts=0):
    return QueuedJob(id=name, user_id=ord(name[0]), created_at=0.0, work=1, count=1, attempts=attempts)


def test_room_is_filled_from_the_head():
    waiting = [job("a1"), job("b1"), job("c1")]

    assert [found.id for found in admit(waiting, [job("d0")], at_once=3)] == ["a1", "b1"]
    assert admit(waiting, [job("d0")], at_once=1) == []


def test_a_suspect_is_painted_alone():
    """After a crash each suspect runs by itself, so the guilty one takes nobody along."""
    suspect, other = job("a1", attempts=1), job("b1")

    assert [suspect] == admit([suspect, other], [], at_once=4)
    assert admit([suspect, other], [job("c0")], at_once=4) == []
    assert admit([other], [suspect], at_once=4) == []
    assert [other] == admit([other, suspect], [], at_once=4)


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
