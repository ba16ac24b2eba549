"""What storage that fails, the dispatcher's own errors and clocks that jump cost."""

import sqlite3

import pytest
from helpers.jobs import insert_job, work_used
from helpers.stages import Stage
from helpers.support import eventually
from structlog.testing import capture_logs

from pastelbot.records import Ended, GenerationRequest, JobStatus, Painted, Progress, Rendered, ReplyTarget
from pastelbot.store.database import Database


@pytest.fixture
async def stage(tmp_path, clock):
    database = await Database.open(tmp_path / "bot.sqlite3", busy_seconds=0.01)
    made = Stage(database, tmp_path / "pictures", clock)
    yield made
    await made.dispatcher.close()
    await database.close()


@pytest.fixture
def lock(stage):
    """Another program that holds the database until it is closed."""
    other = sqlite3.connect(stage.database.path, isolation_level=None)
    yield other
    other.close()


async def test_a_result_waits_until_the_database_takes_it_and_its_slot_is_free_then(stage, lock):
    await stage.start()
    first, second, third = [await stage.add(user_id=user) for user in (1, 2, 3)]
    await stage.painting(first, second)
    lock.execute("BEGIN IMMEDIATE")
    stage.executor.finish(first)
    await eventually(lambda: len(stage.pauses) >= 3)
    assert await stage.status(first) == JobStatus.LEASED

    lock.execute("ROLLBACK")
    await stage.painting(second, third)

    assert stage.published(Rendered) == [first]
    assert stage.pauses[:3] == [0.5, 1.0, 2.0]


async def test_a_full_disk_keeps_the_picture_until_there_is_space(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.folder.write_bytes(b"")  # a file where the folder should be: nothing can be written there
    stage.executor.finish(job_id)
    await eventually(lambda: stage.pauses)

    stage.folder.unlink()
    await eventually(lambda: stage.published(Rendered))

    (picture,) = await stage.jobs.pictures(job_id)
    assert (stage.folder / picture.file).is_file()


async def test_a_lost_worker_while_the_database_fails_loses_no_job(stage, lock):
    await stage.start()
    ids = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(*ids)
    lock.execute("BEGIN IMMEDIATE")
    stage.executor.die()
    stage.executor.ready()
    await eventually(lambda: stage.pauses)

    lock.execute("ROLLBACK")
    await stage.painting(ids[0])
    stage.executor.finish(ids[0])
    await stage.painting(ids[1])

    assert [(await stage.jobs.get(job_id)).attempts for job_id in ids] == [1, 1]


async def test_a_worker_is_not_killed_while_its_results_wait_for_the_database(stage, lock):
    await stage.start()
    ids = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(*ids)
    lock.execute("BEGIN IMMEDIATE")
    stage.executor.finish(ids[0])
    await eventually(lambda: stage.pauses)
    for _ in range(8):
        stage.wait(seconds=15)
        stage.executor.progress(ids[1], 1, 40)
    lock.execute("ROLLBACK")
    await eventually(lambda: stage.published(Rendered))

    assert stage.executor.restarts == []


async def test_an_error_of_the_bot_costs_only_the_job_that_met_it(stage):
    await stage.start()
    bad, good = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(bad, good)
    stage.executor.painting.pop(bad)
    with capture_logs() as logs:
        stage.executor.emit(Painted(job_id=bad, pictures=(None,), seconds=1.0))
        stage.executor.finish(good)
        await eventually(lambda: stage.published(Rendered))
    third, fourth = [await stage.add(user_id=user) for user in (3, 4)]
    await stage.painting(third, fourth)

    job = await stage.jobs.get(bad)
    assert (job.status, job.reason) == (JobStatus.FAILED, "an unexpected error of the bot, which is in its log")
    assert await work_used(stage.jobs, 1, now=stage.clock()) == 0
    assert (stage.published(Ended), stage.published(Rendered)) == ([bad], [good])
    assert "a job failed by an unexpected error" in [entry["event"] for entry in logs]


async def test_a_slot_whose_job_the_worker_has_reported_is_freed(stage):
    await stage.start()
    stuck, other = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(stuck, other)
    stage.executor.painting.pop(stuck)
    stage.running.reported(stuck)  # as an error of the dispatcher would leave it
    stage.executor.finish(other)
    await stage.painting(stuck)

    assert (await stage.jobs.get(stuck)).attempts == 1


async def test_what_the_worker_paints_for_nothing_is_taken_from_it(stage):
    await stage.start()
    abandoned, other = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(abandoned, other)
    stage.running.free(abandoned)  # as an error of the dispatcher would leave it
    stage.executor.finish(other)

    await eventually(lambda: stage.executor.painting == {})


async def test_a_stop_while_the_database_fails_ends_and_the_next_start_has_the_job(stage, lock):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    lock.execute("BEGIN IMMEDIATE")
    await stage.dispatcher.close()
    lock.execute("ROLLBACK")

    stage.dispatcher = stage.make()
    await stage.start()
    await stage.painting(job_id)
    assert await stage.status(job_id) == JobStatus.LEASED


@pytest.mark.parametrize("days", [1, -1, 400, -400])
async def test_a_wall_clock_that_jumps_kills_no_healthy_worker(stage, days):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.clock.jump(days=days)
    stage.wait(seconds=15)
    stage.executor.progress(job_id, 1, 40)
    stage.clock.jump(days=-days)
    stage.wait(seconds=15)
    await stage.quiet()

    assert stage.executor.restarts == []


@pytest.mark.parametrize("days", [1, -1])
async def test_a_wall_clock_that_jumps_hides_no_hanging_worker(stage, days):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.clock.jump(days=days)
    stage.wait(seconds=75)

    await eventually(lambda: stage.executor.restarts)


async def test_a_worker_is_not_blamed_for_a_bot_that_stood_still(stage):
    """After a SIGSTOP of the bot, its timer comes before what the worker sent meanwhile."""
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.clock.advance(seconds=600)
    stage.tick()
    await stage.quiet()

    assert stage.executor.restarts == []


@pytest.mark.parametrize("days", [1, -1])
async def test_a_wall_clock_that_jumps_leaves_the_throughput_as_it_is(stage, days):
    await stage.start()
    first = await stage.add()
    await stage.painting(first)
    stage.clock.jump(days=days)
    stage.clock.advance(seconds=40)
    stage.executor.finish(first)
    await eventually(lambda: stage.published(Rendered))
    running = [await stage.add(user_id=user) for user in (2, 3)]
    await stage.painting(*running)
    waiting = await stage.add(user_id=4)

    left = stage.dispatcher.place(waiting).ready_at - stage.clock()
    assert left.total_seconds() == 3 * 40


@pytest.mark.parametrize("days", [1, -1])
async def test_ranks_ignore_what_the_wall_clock_was_when_a_job_came(stage, days):
    """A job from a day that was wrongly tomorrow would wait for hours, one from yesterday would pass all others."""
    await stage.start()
    running = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(*running)
    before = await stage.add(user_id=3)
    stage.clock.jump(days=days)
    meanwhile = await stage.add(user_id=4)
    stage.clock.jump(days=-days)
    after = await stage.add(user_id=5)

    assert [job.id for job in (await stage.dispatcher.overview()).queue] == [before, meanwhile, after]


async def test_a_job_of_the_future_waits_no_longer_than_others_after_a_restart(stage):
    request, reply = GenerationRequest(prompt="1girl"), ReplyTarget(channel_id=1)
    stage.clock.jump(days=30)
    future = await insert_job(stage.jobs, 1, request, reply, now=stage.clock())
    stage.clock.jump(days=-30)
    await stage.start()
    await stage.painting(future.id)
    running = await stage.add(user_id=2)
    await stage.painting(future.id, running)
    for user in (3, 1):
        await stage.add(user_id=user)

    assert [job.user_id for job in (await stage.dispatcher.overview()).queue] == [3, 1]


async def test_progress_that_waits_behind_a_failing_result_comes_after_it(stage, lock):
    await stage.start()
    ids = [await stage.add(user_id=user) for user in (1, 2)]
    await stage.painting(*ids)
    lock.execute("BEGIN IMMEDIATE")
    stage.executor.finish(ids[0])
    stage.executor.emit(Progress(job_id=ids[1], step=1, steps=40))
    await eventually(lambda: stage.pauses)
    lock.execute("ROLLBACK")
    await eventually(lambda: len(stage.updates) >= 2)

    assert [update.job.id for update in stage.updates[:2]] == ids
