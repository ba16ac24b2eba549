"""Whenever the bot or the worker ends, each job ends with its picture in its message, once."""

import asyncio
import sys

import pytest
from helpers.jobs import insert_job
from helpers.studio import job_of
from helpers.support import eventually

from pastelbot.records import GenerationRequest, JobStatus, ReplyTarget, WorkerLost
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore

MESSAGE = "/channels/*/messages/*"

ENDINGS = pytest.mark.parametrize("end", ["close", "kill"])


async def end_bot(studio, end):
    await (studio.bot.close() if end == "close" else studio.kill())


def assert_only_message(studio, message_id):
    """Return the only message there is, which must be that one and have one picture."""
    (message,) = studio.messages
    assert message_id == message.id
    assert len(message.attachments) == 1
    return message


@ENDINGS
async def test_a_job_in_line_is_painted_after_the_restart(open_studio, end):
    studio = await open_studio(worker={"jobs_at_once": 1})
    await studio.imagine("first")
    await studio.painting()
    waiting = (await studio.imagine("second", by=studio.kenji)).response
    await end_bot(studio, end)
    await studio.restart()
    for number in (1, 2):
        await studio.finish()
        assert len([message for message in studio.messages if message.attachments]) == number

    assert len(studio.messages) == 2
    assert studio.message(waiting.id).content.startswith(f"**second** · {studio.kenji.mention}\n")


@ENDINGS
async def test_a_job_being_painted_is_painted_again(studio, end):
    result = await studio.imagine(seed=7)
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 20, 40)
    await studio.says("20%")
    await end_bot(studio, end)
    await studio.restart()
    await studio.finish()

    assert "seed 7" in assert_only_message(studio, result.response.id).content
    assert (await studio.jobs.get(job_id)).attempts == (end == "kill")


@ENDINGS
async def test_a_painted_job_is_posted_without_painting_it_again(studio, end):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, times=None)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.RENDERED)
    await eventually(studio.edits)
    await end_bot(studio, end)
    studio.env.backend.faults.clear()
    await studio.restart()
    await studio.status(job_id, JobStatus.DONE)

    assert_only_message(studio, result.response.id)
    assert studio.executor.painting == {}


async def test_a_posted_job_is_not_posted_again(studio, monkeypatch):
    result = await studio.imagine()
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "done", nothing)
        (job_id,) = await studio.painting()
        studio.executor.finish(job_id)
        await studio.status(job_id, JobStatus.POSTED)
        await studio.kill()
    edits = len(studio.edits())
    await studio.restart()
    await studio.status(job_id, JobStatus.DONE)

    assert_only_message(studio, result.response.id)
    assert len(studio.edits()) == edits


async def test_a_picture_whose_posting_was_not_recorded_is_there_once(studio, monkeypatch):
    """The bot died between Discord's answer and the database: the same message is written again."""
    result = await studio.imagine()
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "posted", nothing)
        (job_id,) = await studio.painting()
        studio.executor.finish(job_id)
        await studio.says("-# seed", result.response.id)
        await studio.kill()
    await studio.restart()
    await studio.status(job_id, JobStatus.DONE)

    assert_only_message(studio, result.response.id)


async def test_the_second_death_of_the_bot_during_a_job_fails_it(studio):
    result = await studio.imagine()
    for _ in range(2):
        await studio.painting()
        await studio.kill()
        await studio.restart()

    await studio.says("the bot stopped while this was painted, twice\nNot charged.", result.response.id)
    assert await studio.used(studio.hana) == 0
    assert studio.executor.painting == {}


async def test_a_job_whose_worker_died_is_painted_again(studio):
    result = await studio.imagine()
    await studio.painting()
    studio.executor.die()
    studio.executor.ready()
    await studio.finish()

    assert_only_message(studio, result.response.id)


async def test_the_second_death_of_the_worker_fails_the_job_with_its_reason(studio):
    result = await studio.imagine()
    for _ in range(2):
        await studio.painting()
        studio.executor.die("the worker ran out of memory")
        studio.executor.ready()

    message = await studio.says("the worker ran out of memory", result.response.id)
    assert message.content.endswith("> 1girl, red hair")
    assert "Not charged." in message.content
    assert await studio.used(studio.hana) == 0


async def test_users_who_wait_are_shown_why_nothing_is_painted_until_it_is(studio):
    """Nothing is charged for waiting, and nothing is lost: the job stays queued."""
    why = "⚠️ Painting is interrupted: the checkpoint cannot be loaded."
    studio.executor.die()
    early = await studio.imagine()
    studio.executor.emit(WorkerLost(reason="/models/x.safetensors is damaged", interruption=why))
    message = await studio.says(why, early.response.id)
    late = await studio.imagine()

    assert "/models" not in message.content
    assert why in late.response.content
    studio.executor.ready()
    for job_id in await studio.painting(2):
        studio.executor.finish(job_id)
    assert why not in (await studio.says("seed", early.response.id)).content


async def test_what_is_asked_while_the_worker_is_away_is_painted_when_it_is_back(studio):
    studio.executor.die()
    result = await studio.imagine()
    assert "**Queued**, 1st in line" in result.response.content
    studio.executor.ready()
    message = await studio.finish()

    assert result.response.id == message.id


async def test_the_quota_outlives_a_restart(open_studio):
    studio = await open_studio(quota={"work_per_day": 3.3, "saved_days": 1})
    await studio.imagine(count=2)
    await studio.painting()
    await studio.kill()
    await studio.restart()
    result = await studio.imagine()

    assert "you have 0.01 left" in result.response.content


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from pastelbot.records import GenerationRequest, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore

async def main():
    jobs = JobStore(await Database.open(Path(sys.argv[1])))
    reply = ReplyTarget(channel_id=int(sys.argv[2]), message_id=int(sys.argv[3]), guild_id=int(sys.argv[4]))
    request, now = GenerationRequest(prompt="1girl", width=128, height=128, seed=7), datetime.now(UTC)
    for leased in (True, False):
        (job,) = await jobs.insert(int(sys.argv[5]), [(request, reply)], now=now)
        if leased:
            await jobs.lease([job.id], now=now)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_process_killed_for_real_leaves_a_sound_database(studio):
    """One job was leased and one queued when SIGKILL came; both get their picture."""
    message = await studio.bot.get_channel(studio.channel.id).send("⏳ **Queued**")
    await studio.bot.close()
    ids = [studio.settings.storage.database, studio.channel.id, message.id, studio.guild.id, studio.hana.id]

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *map(str, ids))
    returncode = await process.wait()
    await studio.restart()
    first = await studio.finish()
    second = await studio.finish()

    assert returncode == -9
    assert first.id == second.id == message.id
    assert job_of(first) != job_of(second)
    assert len(await studio.jobs.with_status(JobStatus.DONE)) == 2


async def test_the_commands_are_sent_to_discord_once(new_studio):
    def synced():
        return [request for request in new_studio.env.http_requests if request.method == "PUT"]

    await new_studio.bot.close()
    await new_studio.restart()

    assert len(synced()) == 1
    assert new_studio.env.backend.find_command("imagine", new_studio.guild.id, type=1)


async def test_a_job_that_never_got_a_message_gets_one_after_the_restart(studio):
    """A job without a message, as an older crash may have left it, gets one."""
    await studio.bot.close()
    database = await Database.open(studio.settings.storage.database)
    reply = ReplyTarget(channel_id=studio.channel.id, guild_id=studio.guild.id)
    request = GenerationRequest(prompt="1girl", width=128, height=128, seed=7)
    await insert_job(JobStore(database), studio.hana.id, request, reply, now=studio.clock())
    await database.close()
    await studio.restart()
    message = await studio.finish()

    assert_only_message(studio, message.id)


async def nothing(*_args, **_kwargs):
    """Stand for a step that the bot did not live to take."""
