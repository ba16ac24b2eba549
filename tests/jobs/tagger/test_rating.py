"""Every picture is rated before the dispatcher hears that it is painted."""

import asyncio

import pytest
from helpers.fake_executors import FakeDescriber, FakeExecutor
from helpers.small_tagger import make_tagger, options_of
from helpers.support import eventually

from pastelbot.errors import RequestError, TaggerError
from pastelbot.jobs.tagger.rating import RatingExecutor
from pastelbot.jobs.tagger.tagger_process import TaggerProcess
from pastelbot.records import (
    RATING_FAILED,
    GenerationRequest,
    Paint,
    Painted,
    Picture,
    Progress,
    WorkerLost,
    WorkerReady,
)


class Rated:
    """A rating executor on fakes, and the events that it reported."""

    def __init__(self):
        self.events = []
        self.inner = FakeExecutor()
        self.describer = FakeDescriber()
        self.executor = RatingExecutor(self.inner, self.describer)
        self.executor.start(self.events.append)

    def paint(self, job_id, count=1):
        self.executor.send(Paint(job_id=job_id, request=GenerationRequest(prompt="1girl", count=count)))
        self.inner.finish(job_id)

    def kinds(self):
        return [type(event) for event in self.events]

    async def painted(self, count=1):
        await eventually(lambda: self.kinds().count(Painted) >= count)
        return [event for event in self.events if isinstance(event, Painted)]

    def ratings(self, event):
        return [picture.rating for picture in event.pictures]


@pytest.fixture
async def rated():
    rated = Rated()
    yield rated
    await rated.executor.close()


async def test_the_tagger_is_started_with_the_worker(rated):
    assert rated.describer.prepared
    assert [WorkerReady] == rated.kinds()


async def test_every_picture_gets_its_own_rating(rated):
    rated.describer.ratings = ["general", "explicit"]
    rated.paint("a", count=2)

    (event,) = await rated.painted()
    assert ["general", "explicit"] == rated.ratings(event)
    assert [0, 1] == [picture.seed for picture in event.pictures]


@pytest.mark.parametrize("error", [TaggerError("lost"), RequestError("bad"), ZeroDivisionError()])
async def test_what_cannot_be_rated_is_marked_and_not_lost(rated, error):
    rated.describer.ratings = ["general", error, "general"]
    rated.paint("a", count=3)

    (event,) = await rated.painted()
    assert ["general", RATING_FAILED, "general"] == rated.ratings(event)


@pytest.mark.parametrize(
    ("ratings", "worst"),
    [
        (["general", "questionable", "sensitive"], "questionable"),
        (["explicit", TaggerError("lost"), "general"], RATING_FAILED),
    ],
)
async def test_a_sheet_is_as_bad_as_its_worst_cell(rated, ratings, worst):
    cells = (b"first", b"second", b"third")
    sheet = Picture(png=b"sheet", seed=1, width=8, height=8, infotext="1girl", cells=cells)
    rated.describer.ratings = ratings
    rated.inner.emit(Painted(job_id="a", pictures=(sheet,), seconds=1.0))

    (event,) = await rated.painted()
    assert [worst] == rated.ratings(event)
    assert list(cells) == rated.describer.described


async def test_the_real_tagger_rates_from_its_process(tmp_path):
    events, inner, tagger = [], FakeExecutor(instant=True), TaggerProcess(options_of(make_tagger(tmp_path)))
    executor = RatingExecutor(inner, tagger)
    executor.start(events.append)
    try:
        for seed in (0, 255, 200 + 256 * 200):  # a fake picture's colour is its seed's
            executor.send(Paint(job_id=str(seed), request=GenerationRequest(prompt="1girl", seed=seed)))
        await eventually(lambda: len(events) == 4)
    finally:
        await executor.close()
        await tagger.close()

    painted = {event.job_id: event.pictures[0].rating for event in events if isinstance(event, Painted)}
    assert {"0": "questionable", "255": "explicit", "51400": "general"} == painted


async def test_other_jobs_go_on_meanwhile(rated):
    rated.describer.hold()
    rated.paint("a")
    rated.inner.progress("b", 1, 2)

    assert [WorkerReady, Progress] == rated.kinds()


async def test_a_worker_that_dies_takes_no_painted_job_along(rated):
    """Lost comes after the jobs that wait for their ratings, and ready after lost."""
    rated.describer.hold()
    rated.paint("a")
    rated.inner.die()
    rated.inner.ready()
    await asyncio.sleep(0)
    assert [WorkerReady] == rated.kinds()

    rated.describer.release()
    await eventually(lambda: len(rated.events) == 4)

    assert [WorkerReady, Painted, WorkerLost, WorkerReady] == rated.kinds()


async def test_closing_waits_for_no_rating(rated):
    rated.describer.hold()
    rated.paint("a")

    await rated.executor.close()

    assert rated.inner.closed
    assert [WorkerReady] == rated.kinds()
