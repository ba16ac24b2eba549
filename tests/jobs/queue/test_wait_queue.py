"""Who is next: examples, and what holds for every line that people could make."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.store.jobs.rows import QueuedJob, Served

DEFAULT = 1000
HALF_LIFE = 600.0
PEOPLE = st.integers(1, 5)
COUNTS = st.integers(1, 4)
SECONDS = st.floats(0, 5000)


def make_line(**options):
    return WaitQueue(default_work=DEFAULT, half_life=HALF_LIFE, **options)


def job(name, *, second=0.0, work=DEFAULT, count=1, user=None, guild_id=None):
    """Return a job whose name begins with its owner's letter."""
    owner = ord(name[0]) if user is None else user
    return QueuedJob(id=name, user_id=owner, created_at=second, work=work * count, count=count, guild_id=guild_id)


def order(names, served=(), **options):
    line = make_line()
    line.fill(
        [job(name, second=second / 100, **options) for second, name in enumerate(names)],
        [Served(user_id=ord(user), at=0.0, work=work, count=1) for user, work in served],
    )
    return ids(line)


def ids(line):
    return [waiting.id for waiting in line]


def test_one_persons_jobs_are_first_come_first_served():
    assert order(["a1", "a2", "a3"]) == ["a1", "a2", "a3"]


def test_people_take_turns():
    """A user with many jobs does not make the others wait for all of them."""
    assert order(["a1", "a2", "a3", "b1", "b2", "c1"]) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_is_being_painted_for_waits_for_those_who_are_not():
    line = make_line()
    line.add(job("a0"))
    line.take("a0", 0.0)
    line.fill([job("a1", second=1), job("b1", second=2)], [])

    assert ids(line) == ["b1", "a1"]


def test_who_had_less_lately_is_next():
    assert order(["a1", "b1", "c1"], served=[("a", 3 * DEFAULT), ("b", 2 * DEFAULT)]) == ["c1", "b1", "a1"]


def test_what_was_had_long_ago_weighs_nothing():
    line = make_line()
    line.serve(Served(user_id=ord("a"), at=0.0, work=10 * DEFAULT, count=10))
    line.add(job("a1", second=20 * HALF_LIFE))
    line.add(job("b1", second=20 * HALF_LIFE + 10))

    assert ids(line) == ["a1", "b1"]


def test_four_pictures_in_one_job_come_where_the_fourth_of_four_jobs_would():
    line = make_line()
    line.fill([job("a1", count=4), *(job(f"b{number}", second=1) for number in range(4)), job("c1", second=2)], [])

    assert ids(line) == ["b0", "c1", "b1", "b2", "a1", "b3"]


def test_who_leaves_makes_their_own_jobs_move_up():
    line = make_line()
    line.fill([job("a1"), job("a2"), job("b1", second=1), job("b2", second=1)], [])
    line.remove("a1")

    assert ids(line) == ["a2", "b1", "b2"]
    assert line.remove("a1") is None


def test_a_job_that_is_given_back_stands_where_it_stood():
    line = make_line()
    line.fill([job("a1"), job("b1", second=1), job("a2", second=2)], [])
    before = ids(line)
    taken = line.take("a1", 5.0)
    assert ids(line) == ["b1", "a2"]

    line.give_back(taken, 5.0)

    assert ids(line) == before


def test_jobs_that_are_held_stay_in_line_and_are_in_nobodys_way():
    held = {7}
    line = make_line(held=lambda guild_id: guild_id in held)
    line.fill([job("a1", guild_id=7), job("b1", second=1, guild_id=8)], [])

    assert [waiting.id for waiting in line.head(5)] == ["b1"]
    assert line.before("b1") == (0, 0)
    held.clear()
    assert [waiting.id for waiting in line.head(5)] == ["a1", "b1"]


def test_the_first_job_of_each_other_user_is_found_behind_anybodys_many():
    held = {7}
    line = make_line(held=lambda guild_id: guild_id in held)
    line.fill([job(f"a{number}") for number in range(9)], [])
    assert line.first_of_others({ord("a")}, 5) == []
    line.fill([job(f"{name}1", second=2) for name in "bcd"], [Served(user_id=ord("b"), at=0.0, work=1, count=1)])
    line.fill([job("b2", second=3), job("e1", second=1, guild_id=7)], [])

    assert [found.id for found in line.first_of_others({ord("a")}, 5)] == ["c1", "d1", "b1"]
    assert [found.id for found in line.first_of_others({ord("c")}, 1)] == ["a0"]


def test_the_line_is_empty_without_jobs():
    line = make_line()

    assert (len(line), line.head(3), line.get("a1")) == (0, [], None)


def test_people_who_were_served_long_ago_are_forgotten():
    line = make_line()
    line.serve(Served(user_id=1, at=0.0, work=DEFAULT, count=1))
    line.serve(Served(user_id=2, at=100 * HALF_LIFE, work=DEFAULT, count=1))

    assert line.forget(100 * HALF_LIFE) == [1]
    assert line.forget(100 * HALF_LIFE) == []


# What holds for every line.


@st.composite
def days(draw):
    """Return jobs of a few people in the order of their arrival, and times at which the easel takes one."""
    arrivals = sorted(draw(st.lists(st.tuples(SECONDS, PEOPLE, COUNTS), min_size=1, max_size=25)))
    jobs = [
        job(f"{number}", second=second, user=user, count=count) for number, (second, user, count) in enumerate(arrivals)
    ]
    return jobs, sorted(draw(st.lists(SECONDS, max_size=25)))


def live(line, jobs, takings):
    """Let people come and the easel take; return what it took, in order."""
    taken = []
    events = sorted([(waiting.created_at, 0, waiting) for waiting in jobs] + [(at, 1, None) for at in takings],
                    key=lambda event: event[:2])  # fmt: skip
    for at, _kind, waiting in events:
        if waiting is not None:
            line.add(waiting)
        elif line.head(1):
            taken.append(line.take(line.head(1)[0].id, at))
    return taken


@given(days())
def test_the_order_does_not_depend_on_the_way_it_came_about(day):
    """A line that lived through a day, and one that was loaded from the database after it, are the same."""
    jobs, takings = day
    lived, loaded = make_line(), make_line()
    taken = live(lived, jobs, takings)
    gone = {waiting.id for waiting in taken}
    served = _served(jobs, takings)
    loaded.fill([waiting for waiting in jobs if waiting.id not in gone], served)

    assert ids(lived) == ids(loaded)


def _served(jobs, takings):
    """Return what the easel took and when, by living the day again."""
    line, served = make_line(), []
    events = sorted([(waiting.created_at, 0, waiting) for waiting in jobs] + [(at, 1, None) for at in takings],
                    key=lambda event: event[:2])  # fmt: skip
    for at, _kind, waiting in events:
        if waiting is not None:
            line.add(waiting)
        elif line.head(1):
            took = line.take(line.head(1)[0].id, at)
            served.append(Served(user_id=took.user_id, at=at, work=took.work, count=took.count))
    return served


@given(days(), st.data())
def test_places_are_true_whatever_joins_and_leaves(day, data):
    jobs, takings = day
    line = make_line()
    live(line, jobs, takings)
    for waiting in data.draw(st.permutations(list(line)))[: len(line) // 2]:
        line.remove(waiting.id)

    waiting = list(line)
    assert waiting == sorted(waiting, key=lambda one: line.rank(one.id))
    assert [line.before(one.id)[0] for one in waiting] == list(range(len(waiting)))
    assert [line.before(one.id)[1] for one in waiting] == [
        sum(earlier.work for earlier in waiting[:place]) for place in range(len(waiting))
    ]
    assert all(line.get(one.id) is one for one in waiting)


@given(st.lists(st.tuples(PEOPLE, st.integers(1, DEFAULT)), min_size=1, max_size=30))
def test_everybodys_next_picture_comes_before_anybodys_second_one(arrivals):
    """So it is among people who come within a half-life of each other and had the same lately, whatever the sizes."""
    line = make_line()
    for number, (user, work) in enumerate(arrivals):
        line.add(job(f"{number}", user=user, work=work, second=number * HALF_LIFE / 31))
    turn, seen = {}, {}
    for waiting in line:
        seen[waiting.user_id] = seen.get(waiting.user_id, 0) + 1
        turn[waiting.id] = seen[waiting.user_id]
    first_second_turn = min((place for place, one in enumerate(line) if turn[one.id] == 2), default=len(line))

    assert all(turn[one.id] == 1 for one in list(line)[:first_second_turn])
    assert first_second_turn == len({user for user, _work in arrivals})


@given(days(), st.integers(2, 4), st.integers(1, DEFAULT * 3))
def test_splitting_a_job_gains_nothing(day, parts, work):
    """A user who asks for pictures one by one has all of them no earlier than one who asks for them in one job."""
    others = [waiting for waiting in day[0] if waiting.user_id != 1]
    whole = job("whole", user=1, work=work, count=parts, second=2500.0)
    split = [job(f"part{number}", user=1, work=work, second=2500.0) for number in range(parts)]

    at_once, one_by_one = (painted_before(others, mine) for mine in ([whole], split))
    assert at_once <= one_by_one


@given(days(), st.integers(2, 5))
def test_rushing_gains_nothing_against_others(day, clicks):
    """However often a user clicks, the others wait for more than one turn of theirs before the own first."""
    others = [waiting for waiting in day[0] if waiting.user_id != 1]
    line = make_line()
    for waiting in others:
        line.add(waiting)
    for number in range(clicks):
        line.add(job(f"click{number}", user=1, second=5000.0 + number / 10))
    firsts = {}
    for place, waiting in enumerate(line):
        firsts.setdefault(waiting.user_id, (place, waiting))

    for user, (place, waiting) in firsts.items():
        rushed = sum(one.user_id == 1 for one in list(line)[:place])
        assert user == 1 or waiting.count > 1 or rushed <= 1


def painted_before(others, mine):
    """Return the work that others get before the last of my jobs is begun, painting one job a minute."""
    line, now, before = make_line(), 5000.0, 0
    for waiting in sorted([*others, *mine], key=lambda one: one.created_at):
        line.add(waiting)
    left = {waiting.id for waiting in mine}
    while left:
        took = line.take(line.head(1)[0].id, now)
        left.discard(took.id)
        before += took.work if took not in mine else 0
        now += 60.0
    return before


@pytest.mark.parametrize("seed", range(3))
def test_every_job_is_given_out_among_newcomers_without_end(seed):
    """Even the last job of a greedy person is painted while a new person comes for everyone who is painted for."""
    chance = random.Random(seed)
    line, now = make_line(), 0.0
    for number in range(5):
        line.add(job(f"greedy{number}", user=0, count=4))
    for person in range(50):
        line.add(job(f"early{person}", user=1 + person, second=now))
    waiting = {f"greedy{number}" for number in range(5)}
    for newcomer in range(100, 5000):
        now += 10.0
        line.add(job(f"new{newcomer}", user=newcomer, work=chance.randint(1, DEFAULT), second=now))
        waiting.discard(line.take(line.head(1)[0].id, now).id)
        if not waiting:
            break

    assert waiting == set()
    assert now < 5 * (50 * 10 + 5 * HALF_LIFE)


@given(days(), st.floats(0.01, 1000))
def test_nobody_is_passed_for_ever(day, later):
    """From some time on, which is known, newcomers are behind, however little they ask for and had."""
    jobs, takings = day
    line = make_line()
    live(line, jobs, takings)
    before = ids(line)
    for waiting in list(line):
        line.add(job(f"{waiting.id}+", user=1000, work=1, second=line.rank(waiting.id)[0] * HALF_LIFE + later))

        assert ids(line).index(waiting.id) < ids(line).index(f"{waiting.id}+")
        line.remove(f"{waiting.id}+")
    assert ids(line) == before


@given(days())
def test_the_order_is_the_same_every_time(day):
    jobs, takings = day
    first, second = make_line(), make_line()

    assert live(first, jobs, takings) == live(second, jobs, takings)
    assert ids(first) == ids(second)
