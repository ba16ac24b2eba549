"""What everybody in line is told, and who hears anew."""

from datetime import timedelta

import pytest

from pastelbot.jobs.queue.positions import Ahead, QueuePositions
from pastelbot.jobs.queue.scheduler import RunningWork
from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.jobs.queue.wait_queue import WaitQueue
from pastelbot.store.jobs.rows import QueuedJob

NO_ONE_AHEAD = Ahead()


def ahead(jobs, *, work):
    """Return so many running jobs of as many users, with so much work left in all."""
    each = work / jobs
    running = (QueuedJob(id=f"r{n}", user_id=900 + n, created_at=0.0, work=100, count=1) for n in range(jobs))
    return Ahead(running=tuple(RunningWork(job=job, work_left=each) for job in running))


class Notes:
    """A memory for one test."""

    def __init__(self):
        self.texts = {}

    async def get(self, name):
        return self.texts.get(name)

    async def set(self, name, value):
        self.texts[name] = value


class Hall:
    """A line of single jobs of work 10 that were asked for a second apart, and a pace of one second for each work."""

    def __init__(self, clock, jobs, at_once):
        self.clock = clock
        self.held = set()
        self.line = WaitQueue(default_work=10, epoch=clock().timestamp(), held=lambda guild_id: guild_id in self.held)
        self.throughput = Throughput()
        self.positions = QueuePositions(self.line, self.throughput, at_once=at_once)
        for number in range(jobs):
            self.join(number)

    def join(self, number, guild_id=1):
        at = self.clock().timestamp() + number
        self.line.add(QueuedJob(id=f"{number}", user_id=number, created_at=at, work=10, count=1, guild_id=guild_id))

    async def measure(self, seconds=10.0):
        self.throughput.busy(seconds)
        self.throughput.done(10)

    def stale(self, ahead=NO_ONE_AHEAD, *, depth=1000, most=1000):
        return self.positions.stale(ahead, self.clock(), depth=depth, most=most)

    def told(self, number, ahead=NO_ONE_AHEAD):
        return self.positions.mark_shown(f"{number}", ahead, self.clock())


@pytest.fixture
def hall(clock):
    return lambda jobs=0, at_once=4: Hall(clock, jobs, at_once)


async def test_a_place_counts_those_being_painted_and_their_work(hall, clock):
    three = hall(3)
    await three.measure()
    place = three.told(2, ahead(4, work=25))

    assert (place.position, place.ready_at) == (7, clock() + timedelta(seconds=25 + 30))
    assert three.told("unknown") is None


async def test_everybody_hears_once_and_then_only_what_has_changed(hall):
    full = hall(30)
    assert len(full.stale()) == 30
    assert full.stale() == {}
    full.line.remove("0")

    assert {job_id: place.position for job_id, place in full.stale().items()} == {
        **{f"{number}": number for number in range(1, 11)},
        "20": 20,
    }
    assert full.stale() == {}


async def test_only_some_are_told_at_once_and_the_first_in_line_before_others(hall):
    full = hall(30)

    assert list(full.stale(most=20)) == [f"{number}" for number in range(20)]
    assert list(full.stale(most=20)) == [f"{number}" for number in range(20, 30)]


async def test_only_as_many_are_looked_at_as_are_asked_for(hall):
    assert list(hall(30).stale(depth=3)) == ["0", "1", "2"]


async def test_a_time_that_passes_as_promised_is_no_news(hall, clock):
    """Discord counts down by itself."""
    three = hall(3, at_once=1)
    await three.measure()
    three.stale(ahead(1, work=30))
    clock.advance(seconds=10)

    assert three.stale(ahead(1, work=20)) == {}


async def test_a_time_that_is_wrong_is_shown_again(hall, clock):
    three = hall(3, at_once=1)
    await three.measure()
    three.stale(ahead(1, work=30))
    clock.advance(seconds=25)
    news = three.stale(ahead(1, work=30))

    assert {place.ready_at for place in news.values()} == {clock() + timedelta(seconds=40 + 10 * n) for n in range(3)}


async def test_the_time_is_told_as_soon_as_it_is_known(hall):
    two = hall(2)
    assert [place.ready_at for place in two.stale().values()] == [None, None]
    await two.measure()

    assert all(place.ready_at for place in two.stale().values())
    assert two.stale() == {}


async def test_a_break_is_told_and_its_end(hall):
    mixed = hall()
    await mixed.measure()
    for number, guild_id in enumerate([7, 8, 7, 8]):
        mixed.join(number, guild_id)
    mixed.stale()
    mixed.held.add(7)
    news = mixed.stale()

    assert {job_id: (place.paused, place.position) for job_id, place in news.items() if not place.paused} == {
        "1": (False, 1),
        "3": (False, 2),
    }
    assert [job_id for job_id, place in news.items() if place.paused] == ["0", "2"]
    assert all(place.ready_at is None for place in news.values() if place.paused)
    assert mixed.told(0).paused
    assert mixed.stale() == {}
    mixed.held.clear()
    assert len(mixed.stale()) == 4


async def test_a_time_is_forecast_by_shares_not_by_the_work_before(hall, clock):
    """A newcomer beside one user's large jobs has half of the worker, and is ready before them."""
    one = hall()
    await one.measure()
    for number in range(8):
        at = clock().timestamp()
        one.line.add(QueuedJob(id=f"large{number}", user_id=77, created_at=at, work=10_000, count=1, guild_id=1))
    one.join(0)
    assert one.told(0, ahead(1, work=10_000)).ready_at == clock() + timedelta(seconds=10 * 3)


async def test_times_are_forecast_anew_at_most_once_a_second(hall, clock):
    three = hall(3, at_once=1)
    await three.measure()
    three.stale(ahead(2, work=30))

    assert three.stale(ahead(2, work=300)) == {}
    clock.advance(seconds=1)
    assert len(three.stale(ahead(2, work=300))) == 3


async def test_far_back_the_work_ahead_is_an_average(hall, clock):
    long = hall(3000)
    await long.measure()
    place = long.told(2999)

    assert place.position == 3000
    assert place.ready_at == clock() + timedelta(seconds=30_000)


async def test_the_pace_follows_what_is_measured_and_outlives_a_restart():
    notes = Notes()
    throughput = Throughput(notes)
    assert throughput.seconds_for(10) is None
    for seconds in (100, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10):
        throughput.busy(seconds)
        throughput.done(10)
    await throughput.save()
    again = Throughput(notes)
    await again.load()

    assert 10 < throughput.seconds_for(10) < 13
    assert again.seconds_for(10) == throughput.seconds_for(10)


async def test_the_pace_is_kept_every_ten_seconds_as_each_time_waits_for_the_disk():
    notes, now = Notes(), [0.0]
    throughput = Throughput(notes, monotonic=lambda: now[0])
    kept = []
    for now[0] in (0.0, 5.0, 9.9, 10.0, 15.0):
        throughput.busy(1 + now[0])
        throughput.done(10)
        before = dict(notes.texts)
        await throughput.save()
        kept.append(notes.texts != before)

    assert kept == [True, False, False, True, False]


async def test_time_of_which_nothing_came_is_not_counted():
    throughput = Throughput()
    throughput.busy(1000)
    throughput.idle()
    throughput.busy(10)
    throughput.done(10)

    assert throughput.seconds_for(1) == 1


async def test_work_counts_with_each_step_not_when_a_job_ends():
    """Four jobs that end together must not look as if the first had taken all the time."""
    throughput = Throughput()
    for _ in range(10):
        throughput.busy(4.0)
        for _job in range(4):
            throughput.worked(1.0)
    throughput.done(0)

    assert throughput.seconds_for(1) == 1
