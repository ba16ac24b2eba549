"""A full disk pauses painting, says so to those who wait, and painting goes on by itself."""

import errno

import pytest
from helpers.stages import Stage
from helpers.support import eventually
from structlog.testing import capture_logs

from pastelbot.records import InLine, Rendered

WHY = "⚠️ Painting is interrupted: the disk of the bot is full."


@pytest.fixture
async def stage(tmp_path, clock):
    async with Stage.opened(tmp_path, clock) as made:
        yield made


def said(stage, job_id):
    """Return what the job's message says of an interruption, last."""
    shown = [update.interruption for update in stage.updates if isinstance(update, InLine) and update.job.id == job_id]
    return shown[-1] if shown else None


async def test_while_space_is_short_nothing_is_given_to_the_worker(stage):
    stage.short_of_space = True
    await stage.start()
    job_id = await stage.add()
    await eventually(lambda: said(stage, job_id) == WHY)
    stage.tick()
    await stage.quiet()

    assert stage.executor.painting == {}
    assert stage.dispatcher.place(job_id).interruption == WHY


async def test_painting_goes_on_by_itself_when_there_is_space(stage):
    stage.short_of_space = True
    await stage.start()
    ids = [await stage.add(user_id=user) for user in (1, 2, 3)]
    await eventually(lambda: said(stage, ids[2]) == WHY)
    stage.short_of_space = False
    stage.tick()
    await stage.painting(*ids[:2])

    await eventually(lambda: said(stage, ids[2]) == "")


async def test_what_is_being_painted_is_finished_and_kept(stage):
    await stage.start()
    running, other, waiting = [await stage.add(user_id=user) for user in (1, 2, 3)]
    await stage.painting(running, other)
    stage.short_of_space = True
    stage.tick()
    await eventually(lambda: said(stage, waiting) == WHY)
    stage.executor.finish(running)
    await eventually(lambda: stage.published(Rendered) == [running])
    await stage.quiet()

    assert set(stage.executor.painting) == {other}


async def test_a_picture_that_does_not_fit_says_so_to_those_who_wait_until_it_does(stage, monkeypatch):
    """Where a quota or another program fills the disk between two looks, writing fails first."""
    await stage.start()
    running, other, waiting = [await stage.add(user_id=user) for user in (1, 2, 3)]
    await stage.painting(running, other)
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", lambda _path, _content: (_ for _ in ()).throw(full))
        stage.executor.finish(running)
        await eventually(lambda: said(stage, waiting) == WHY)
        assert stage.published(Rendered) == []
    await eventually(lambda: stage.published(Rendered) == [running])
    stage.tick()
    await stage.painting(other, waiting)


async def test_the_log_says_when_painting_pauses_and_when_it_goes_on(stage):
    with capture_logs() as logs:
        await stage.start()
        await stage.quiet()
        for stage.short_of_space in (True, True, False, False):
            stage.tick()
            await stage.quiet()

    assert [entry["event"] for entry in logs if "disk" in entry["event"]] == [
        "painting pauses: the disk is full",
        "painting goes on: the disk has space again",
    ]
