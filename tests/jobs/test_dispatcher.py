from datetime import timedelta

import pytest
from helpers.jobs import insert_job, work_used
from helpers.stages import Stage
from helpers.support import eventually

from pastelbot.jobs.queue.throughput import Throughput
from pastelbot.records import (
    BeingPainted,
    Ended,
    GenerationRequest,
    InLine,
    JobStatus,
    Loading,
    PaintingFailed,
    Rendered,
    ReplyTarget,
)
from pastelbot.store.jobs.rows import QueuedJob
from pastelbot.store.key_values import KeyValueStore


@pytest.fixture
async def stage(tmp_path, clock):
    async with Stage.opened(tmp_path, clock) as made:
        yield made


async def test_a_job_is_painted_and_its_picture_is_on_disk_before_it_is_rendered(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.executor.progress(job_id, 3, 40)
    stage.executor.finish(job_id)
    await eventually(lambda: stage.published(Rendered))

    assert await stage.status(job_id) == JobStatus.RENDERED
    (picture,) = await stage.jobs.pictures(job_id)
    assert (stage.folder / picture.file).read_bytes().startswith(b"\x89PNG")
    assert [job_id] == stage.published(BeingPainted)


async def test_no_more_than_at_once_are_given_out_and_the_rest_hear_their_place(stage):
    await stage.start()
    ids = [await stage.add(user_id=user) for user in (1, 2, 3, 4)]
    await stage.painting(*ids[:2])
    await eventually(lambda: ids[3] in stage.published(InLine))

    places = {update.job.id: update.position for update in stage.updates if isinstance(update, InLine)}
    assert {ids[2]: 3, ids[3]: 4} == {job_id: places[job_id] for job_id in ids[2:]}
    assert stage.dispatcher.place(ids[3]).position == 4
    stage.executor.finish(ids[0])
    await stage.painting(ids[1], ids[2])


async def test_a_newcomer_is_given_out_though_another_has_all_slots_and_more_wait(stage):
    await stage.start()
    hogs = [await stage.add(user_id=1) for _ in range(4)]
    await stage.painting(*hogs[:2])
    newcomer = await stage.add(user_id=2)
    await stage.painting(*hogs[:2], newcomer)
    stage.executor.finish(newcomer)
    await eventually(lambda: newcomer in stage.published(Rendered))
    await stage.quiet()

    assert set(stage.executor.painting) == set(hogs[:2])
    assert stage.executor.owners == {hogs[0]: 1, hogs[1]: 1, newcomer: 2}


async def test_a_paused_job_is_cancelled_and_survives_a_crash_like_one_that_advances(stage):
    """The worker may have died of any job that it had, so all are painted alone; none is lost."""
    await stage.start()
    first, paused, newcomer = [await stage.add(user_id=user) for user in (1, 1, 2)]
    await stage.painting(first, paused, newcomer)
    await stage.dispatcher.end(paused, JobStatus.CANCELLED)
    await stage.painting(first, newcomer)
    again = await stage.add(user_id=1)
    await stage.quiet()
    assert set(stage.executor.painting) == {first, newcomer}
    stage.executor.die()
    stage.executor.ready()
    await stage.painting(newcomer)

    assert [(await stage.jobs.get(job_id)).attempts for job_id in (first, newcomer, again)] == [1, 1, 0]


async def test_a_failed_job_gives_its_reason_and_fails_alone(stage):
    await stage.start()
    bad, good = await stage.add(user_id=1), await stage.add(user_id=2)
    await stage.painting(bad, good)
    stage.executor.emit(PaintingFailed(job_id=bad, reason="The latents became NaN at step 3."))
    await eventually(lambda: stage.published(Ended))

    job = await stage.jobs.get(bad)
    assert (job.status, job.reason) == (JobStatus.FAILED, "The latents became NaN at step 3.")
    assert await work_used(stage.jobs, 1, now=stage.clock()) == 0
    assert await stage.status(good) == JobStatus.LEASED


async def test_after_a_crash_each_suspect_is_painted_alone_and_the_second_crash_fails_it(stage):
    await stage.start()
    guilty, innocent = await stage.add(user_id=1), await stage.add(user_id=2)
    await stage.painting(guilty, innocent)
    stage.executor.die()
    stage.executor.ready()
    await stage.painting(guilty)
    stage.executor.die("out of memory")
    stage.executor.ready()
    await stage.painting(innocent)
    stage.executor.finish(innocent)
    await eventually(lambda: stage.published(Rendered))

    job = await stage.jobs.get(guilty)
    assert job.status == JobStatus.FAILED
    assert "out of memory" in job.reason
    assert [innocent] == stage.published(Rendered)


async def test_nothing_is_given_out_without_a_worker(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.executor.die()
    await eventually(lambda: stage.published(InLine))

    assert stage.executor.painting == {}
    stage.executor.ready()
    await stage.painting(job_id)


async def test_a_restart_of_the_bot_loses_no_job(stage):
    """Leased jobs go back with an attempt, rendered ones are posted, posted ones are done."""
    ids = [await stage.add(user_id=user) for user in range(5)]
    await stage.jobs.lease(ids[1:], now=stage.clock())
    await stage.jobs.requeue(ids[2], crashed=True)
    await stage.jobs.lease([ids[2]], now=stage.clock())
    for job_id in ids[3:]:
        await stage.jobs.rendered(job_id, [], seconds=1)
    await stage.jobs.posted(ids[4], 7)

    await stage.start()
    await stage.painting(ids[0])

    assert [(await stage.jobs.get(job_id)).attempts + (job_id == ids[2]) for job_id in ids[1:3]] == [1, 2]
    assert [await stage.status(job_id) for job_id in ids[1:]] == [
        JobStatus.QUEUED,
        JobStatus.FAILED,
        JobStatus.RENDERED,
        JobStatus.DONE,
    ]
    assert [ids[3]] == stage.published(Rendered)


async def test_an_orderly_stop_puts_jobs_back_without_an_attempt(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    await stage.dispatcher.close()

    job = await stage.jobs.get(job_id)
    assert (job.status, job.attempts, stage.executor.closed) == (JobStatus.QUEUED, 0, True)


async def test_a_cancelled_job_leaves_the_worker_and_makes_room(stage):
    await stage.start()
    first, second, third = [await stage.add(user_id=user) for user in (1, 2, 3)]
    await stage.painting(first, second)
    await stage.dispatcher.end(first, JobStatus.CANCELLED)
    await stage.painting(second, third)

    assert first in stage.published(Ended)


async def test_ending_a_job_refunds_it_drops_it_from_the_queue_and_then_forgets_its_pictures(stage, monkeypatch):
    await stage.start()
    ended = await stage.add()
    await stage.painting(ended)
    stage.executor.finish(ended)
    await eventually(lambda: stage.published(Rendered))
    steps = []
    for owner, name in ((stage.jobs, "end"), (stage.jobs, "forget_pictures"), (stage.files, "drop")):
        monkeypatch.setattr(owner, name, noted(steps, name, getattr(owner, name), stage))

    job = await stage.dispatcher.end(ended, JobStatus.FAILED, reason="it was withheld", forget_pictures=True)

    assert steps == [("end", []), ("forget_pictures", []), ("drop", [])]
    assert (job.status, job.reason) == (JobStatus.FAILED, "it was withheld")
    assert await stage.jobs.pictures(ended) == []
    assert [path for path in stage.folder.rglob("*") if path.is_file()] == []
    assert await work_used(stage.jobs, 1, now=stage.clock()) == 0
    await eventually(lambda: stage.published(Ended) == [ended])


async def test_a_waiting_job_that_is_ended_leaves_the_queue_at_once(stage):
    await stage.start()
    running = [await stage.add(user_id=user) for user in (1, 2)]
    waiting = await stage.add(user_id=3)
    await stage.painting(*running)
    assert stage.dispatcher.place(waiting) is not None

    await stage.dispatcher.end(waiting, JobStatus.CANCELLED)

    assert stage.dispatcher.place(waiting) is None


async def test_ending_a_job_that_has_ended_changes_nothing(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.executor.finish(job_id)
    await eventually(lambda: stage.published(Rendered))
    await stage.jobs.posted(job_id, 5)
    await stage.jobs.done(job_id, now=stage.clock())

    assert await stage.dispatcher.end(job_id, JobStatus.CANCELLED, forget_pictures=True) is None

    assert await stage.status(job_id) == JobStatus.DONE
    assert len(await stage.jobs.pictures(job_id)) == 1
    await stage.quiet()
    assert stage.published(Ended) == []


def noted(steps, name, function, stage):
    """Return a function that notes its name, and which jobs had been told as ended when it was done."""

    async def call(*args, **kwargs):
        result = await function(*args, **kwargs)
        steps.append((name, stage.published(Ended)))
        return result

    return call


async def test_pictures_of_a_job_that_was_cancelled_meanwhile_are_thrown_away(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    await stage.jobs.end(job_id, JobStatus.CANCELLED, now=stage.clock())
    stage.executor.finish(job_id)
    other = await stage.add()
    await stage.painting(other)

    assert stage.published(Rendered) == []
    assert list(stage.folder.rglob("*")) == []


async def test_a_silent_worker_is_restarted(stage):
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.wait(seconds=75)
    await eventually(lambda: stage.executor.restarts)

    assert "74 s" in stage.executor.restarts[0]
    await stage.painting(job_id)
    assert (await stage.jobs.get(job_id)).attempts == 1


async def test_a_worker_that_loads_for_long_is_left_alone(stage):
    """A download takes as long as it takes, and is no work of the easel's pace."""
    notes = KeyValueStore(stage.database)
    stage.dispatcher = stage.make(notes=notes)
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    for minute in range(3):
        stage.clock.advance(seconds=59)
        stage.executor.emit(Loading(what=f"Downloading: {minute} of 3 MB"))
        await stage.quiet()
        stage.clock.advance(seconds=2)
        stage.tick()
        await stage.quiet()
    stage.executor.finish(job_id)
    await eventually(lambda: stage.published(Rendered))
    await stage.quiet()

    assert stage.executor.restarts == []
    throughput = Throughput(notes)
    await throughput.load()
    assert throughput.seconds_for(QueuedJob.of(await stage.jobs.get(job_id)).work) == pytest.approx(3 * 2)


async def test_nothing_is_reported_of_a_job_after_it_was_cancelled(stage):
    """A report that was under way must not bring a cancelled message back to life."""
    await stage.start()
    job_id = await stage.add()
    await stage.painting(job_id)
    stage.executor.progress(job_id, 1, 40)
    await stage.dispatcher.end(job_id, JobStatus.CANCELLED)
    stage.executor.progress(job_id, 2, 40)
    other = await stage.add()
    await stage.painting(other)

    assert [BeingPainted, Ended] == [type(update) for update in stage.updates if update.job.id == job_id]


async def test_the_line_is_what_the_database_says_whatever_was_missed(stage):
    """Jobs that came or went behind the dispatcher's back are noticed at the next thorough look."""
    await stage.start()
    running = [await stage.add(user_id=user) for user in (1, 2)]
    gone = await stage.add(user_id=3)
    await stage.painting(*running)
    await stage.jobs.end(gone, JobStatus.CANCELLED, now=stage.clock())
    request, reply = GenerationRequest(prompt="1girl"), ReplyTarget(channel_id=1)
    came = await insert_job(stage.jobs, 4, request, reply, now=stage.clock())
    assert (await stage.dispatcher.overview()).waiting == 1
    stage.tick()
    await eventually(lambda: came.id in stage.published(InLine))

    overview = await stage.dispatcher.overview()
    assert [job.id for job in overview.queue] == [came.id]
    assert sorted(running) == sorted(job.id for job in overview.running)
    assert stage.dispatcher.place(gone) is None


async def test_a_long_queue_is_not_shown_every_move(stage, monkeypatch):
    """Those in front hear at once; far back only those whose rounded place has changed."""
    monkeypatch.setattr(stage.clock, "advance", lambda **_duration: None)  # no pace is measured
    await stage.start()
    ids = [await stage.add(user_id=user) for user in range(60)]
    await stage.painting(*ids[:2])
    for job_id in ids:
        stage.dispatcher.place(job_id)  # as the answer to the user says it
    await stage.quiet()
    stage.updates.clear()
    stage.executor.finish(ids[0])
    await stage.painting(ids[1], ids[2])
    await stage.quiet()

    told = {update.job.id: update.position for update in stage.updates if isinstance(update, InLine)}
    places = {ids[place]: place for place in (*range(3, 11), 20, 30, 40, 50)}
    assert told == places


async def test_a_waiting_user_sees_when_the_picture_will_be_ready(stage):
    await stage.start()
    first = await stage.add(user_id=1)
    await stage.painting(first)
    stage.clock.advance(seconds=40)
    stage.executor.finish(first)
    await eventually(lambda: stage.published(Rendered))
    others = [await stage.add(user_id=user) for user in (2, 3, 4)]
    await stage.painting(*others[:2])
    stage.executor.progress(others[0], 5, 10)
    await eventually(lambda: stage.published(BeingPainted))
    place = stage.dispatcher.place(others[2])

    assert place.position == 3
    assert place.ready_at - stage.clock() == timedelta(seconds=20 + 40 + 40)


async def test_a_worker_that_died_does_not_count_against_its_jobs_owner(stage):
    await stage.start()
    first = await stage.add(user_id=1)
    await stage.painting(first)
    stage.executor.die()
    await eventually(lambda: stage.dispatcher.place(first))
    stage.clock.advance(seconds=1)
    await stage.add(user_id=2)

    assert (await stage.dispatcher.overview()).queue[0].id == first
