from datetime import UTC, datetime, timedelta

from pastelbot.jobs.scheduler import admit, line_up
from pastelbot.records import GenerationRequest, Job, JobStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


def job(name, *, attempts=0, second=0):
    """Return a job whose name begins with its owner's letter."""
    return Job(
        id=name,
        user_id=ord(name[0]),
        request=GenerationRequest(prompt="1girl"),
        status=JobStatus.QUEUED,
        created_at=START + timedelta(seconds=second),
        attempts=attempts,
    )


def line(names, running=(), served=None):
    waiting = [job(name, second=second) for second, name in enumerate(names)]
    times = {ord(user): time for user, time in (served or {}).items()}
    return [found.id for found in line_up(waiting, [job(name) for name in running], times)]


def test_one_persons_jobs_are_first_come_first_served():
    assert line(["a1", "a2", "a3"]) == ["a1", "a2", "a3"]


def test_people_take_turns():
    """Somebody with many jobs does not make the others wait for all of them."""
    assert line(["a1", "a2", "a3", "b1", "b2", "c1"]) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_is_being_painted_for_waits_for_those_who_are_not():
    assert line(["a1", "b1"], running=["a0"]) == ["b1", "a1"]


def test_who_was_served_longest_ago_is_next():
    assert line(["a1", "b1", "c1"], served={"a": 30.0, "b": 20.0}) == ["c1", "b1", "a1"]


def test_the_line_is_empty_without_jobs():
    assert line([]) == []


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
