import asyncio
import hashlib
from datetime import timedelta

import pytest
from helpers.jobs import insert_job, work_used

from pastelbot.errors import LimitError, QuotaError
from pastelbot.records import (
    RATING_FAILED,
    RATINGS,
    GenerationRequest,
    HiresFix,
    InitImage,
    JobStatus,
    Picture,
    ReplyTarget,
)
from pastelbot.rules import cost
from pastelbot.store.database import Database
from pastelbot.store.jobs.rows import QueuedJob, Served, without_content
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.quotas import Allowance
from pastelbot.store.stored_pictures import picture_file

REQUEST = GenerationRequest(prompt="1girl, ümläut 🎨", seed=5, hires=HiresFix(width=960, height=1280))
REPLY = ReplyTarget(channel_id=10, guild_id=20)
WORK = cost.work(REQUEST)


@pytest.fixture
async def jobs(tmp_path):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield JobStore(database)
    await database.close()


@pytest.fixture
def insert(jobs, clock):
    async def insert(user_id=1, count=1, limit=10):
        allowance = Allowance(per_day=limit * WORK, saved=limit * WORK)
        return await insert_job(jobs, user_id, REQUEST.replace(count=count), REPLY, now=clock(), allowance=allowance)

    return insert


async def test_a_job_comes_back_as_it_went_in(jobs, insert):
    job = await insert()

    assert job == await jobs.get(job.id)
    assert await jobs.get("nothing") is None


async def test_a_picture_to_start_from_comes_back_with_its_job(jobs, clock):
    request = REQUEST.replace(hires=None, init=InitImage.of(bytes(range(256)), resize_mode="Crop and resize"))
    job = await insert_job(jobs, 1, request, REPLY, now=clock())

    kept = (await jobs.get(job.id)).request
    assert without_content(request) == kept
    assert (kept.init.content, kept.init.upload) == (b"", 256)
    assert kept.init.name.endswith(f"{hashlib.sha256(bytes(range(256))).hexdigest()}.bin")


async def test_a_request_that_could_not_be_read_again_is_not_kept(jobs, clock):
    """It would stop all jobs, whenever the queue is read."""
    allowance = Allowance(per_day=WORK, saved=WORK)
    with pytest.raises(ValueError, match="Invalid JSON"):
        await insert_job(jobs, 1, REQUEST.replace(prompt="1girl \ud83d"), REPLY, now=clock(), allowance=allowance)

    assert await jobs.in_line() == []
    await insert_job(jobs, 1, REQUEST, REPLY, now=clock(), allowance=allowance)


async def test_quota_is_reserved_with_the_job_and_refunded_once(jobs, insert, clock):
    job = await insert(count=3)
    assert await work_used(jobs, 1, now=clock()) == 3 * WORK

    assert (await jobs.end(job.id, JobStatus.CANCELLED, now=clock())).status == JobStatus.CANCELLED
    assert await jobs.end(job.id, JobStatus.FAILED, now=clock(), reason="again") is None
    assert await work_used(jobs, 1, now=clock()) == 0


async def test_a_refused_job_is_neither_charged_nor_kept(jobs, insert, clock):
    await insert(count=8)

    with pytest.raises(QuotaError, match=r"left; .* more come <t:\d+:R>"):
        await insert(count=3)

    assert await work_used(jobs, 1, now=clock()) == 8 * WORK
    assert len(await jobs.with_status(JobStatus.QUEUED)) == 1


async def test_fast_clickers_do_not_slip_through(jobs, insert, clock):
    """Thirty submissions at once take exactly what the quota has."""
    results = await asyncio.gather(*(insert() for _ in range(30)), return_exceptions=True)

    assert sum(isinstance(result, QuotaError) for result in results) == 20
    assert await work_used(jobs, 1, now=clock()) == 10 * WORK


async def test_no_more_wait_than_may_even_when_all_come_at_once(jobs, clock):
    """Thirty submissions at once leave exactly the limit in line, and the others are not charged."""

    def insert():
        return insert_job(jobs, 1, REQUEST, REPLY, now=clock(), waiting_limit=5)

    results = await asyncio.gather(*(insert() for _ in range(30)), return_exceptions=True)

    assert sum(isinstance(result, LimitError) for result in results) == 25
    assert len(await jobs.with_status(JobStatus.QUEUED)) == 5
    assert await work_used(jobs, 1, now=clock()) == 5 * WORK


async def test_no_limit(jobs, insert):
    for _ in range(3):
        await insert(count=100, limit=0)

    assert len(await jobs.with_status(JobStatus.QUEUED)) == 3


async def test_concurrent_leases_share_nothing(jobs, insert, clock):
    ids = [(await insert()).id for _ in range(5)]

    leases = await asyncio.gather(*(jobs.lease(ids, now=clock()) for _ in range(4)))

    assert sorted(ids) == sorted(job.id for lease in leases for job in lease)


async def test_the_way_of_a_job(jobs, insert, clock):
    job = await insert()
    picture = Picture(png=b"...", seed=5, width=8, height=8, infotext="1girl")
    stored = [picture_file(0, picture)]

    await jobs.lease([job.id], now=clock())
    assert (await jobs.rendered(job.id, stored, seconds=1.5)).status == JobStatus.RENDERED
    assert stored == await jobs.pictures(job.id)
    await jobs.posted(job.id, 77)
    await jobs.done(job.id, now=clock())

    done = await jobs.get(job.id)
    assert (done.status, done.reply.message_id, done.seconds) == (JobStatus.DONE, 77, 1.5)
    assert await work_used(jobs, 1, now=clock()) == 1 * WORK
    assert [stored[0].file] == await jobs.forget_pictures(job.id)


@pytest.mark.parametrize("rating", [None, *RATINGS, RATING_FAILED])
async def test_ratings_are_kept(jobs, insert, clock, rating):
    job = await insert()
    await jobs.lease([job.id], now=clock())
    picture = Picture(png=b"...", seed=5, width=8, height=8, infotext="1girl", rating=rating)

    await jobs.rendered(job.id, [picture_file(0, picture)], seconds=1.5)

    assert [rating] == [stored.rating for stored in await jobs.pictures(job.id)]


async def test_an_ended_job_takes_no_pictures(jobs, insert, clock):
    job = await insert()
    await jobs.lease([job.id], now=clock())
    await jobs.end(job.id, JobStatus.CANCELLED, now=clock())

    assert await jobs.rendered(job.id, [], seconds=1) is None


async def test_only_a_crash_counts_as_an_attempt(jobs, insert, clock):
    job = await insert()
    for crashed, attempts in ((False, 0), (True, 1)):
        await jobs.lease([job.id], now=clock())
        assert attempts == (await jobs.requeue(job.id, crashed=crashed)).attempts
    assert await jobs.requeue(job.id, crashed=True) is None


async def test_the_line_knows_jobs_without_their_requests(jobs, insert, clock):
    first, second = await insert(user_id=1, count=3), await insert(user_id=2)
    await jobs.lease([second.id], now=clock())

    assert [QueuedJob.of(first)] == await jobs.in_line()
    assert QueuedJob.of(first).work == 3 * WORK
    assert (QueuedJob.of(first).count, QueuedJob.of(first).guild_id) == (3, 20)


async def test_who_was_served_lately(jobs, insert, clock):
    """Failed jobs and those that were given back are no turns."""
    start = clock()
    early, late, failed, returned = [await insert(user_id=user) for user in (1, 2, 3, 4)]
    for job in (early, late, failed, returned):
        clock.advance(seconds=60)
        await jobs.lease([job.id], now=clock())
    await jobs.end(failed.id, JobStatus.FAILED, now=clock())
    await jobs.requeue(returned.id, crashed=True)

    at = start.timestamp()
    served = [Served(user_id=user, at=at + 60 * user, work=WORK, count=1) for user in (1, 2)]
    assert served == await jobs.served_since(start)
    assert served[1:] == await jobs.served_since(start + timedelta(seconds=61))


async def test_several_at_once(jobs, insert):
    first, second, _ = [await insert(user_id=user) for user in (1, 2, 3)]

    assert {first.id, second.id} == {job.id for job in await jobs.several([first.id, second.id, "nothing"])}
    assert await jobs.several([]) == []
