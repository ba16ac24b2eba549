"""One message for each job, which says how the job ended, whatever answers are lost and whenever the bot is killed.

The simulator takes every nonce anew, as Discord does after a few minutes.
"""

import pytest
from aiohttp import ClientOSError
from discord.ui import View
from helpers.discord_faults import lose_answers
from helpers.jobs import insert_job
from helpers.studio import job_of
from helpers.support import eventually

from pastelbot.bot.messages.message_writer import MessageWriter
from pastelbot.errors import StorageBusyError
from pastelbot.records import BeingPainted, JobStatus, ReplyTarget
from pastelbot.service.requests.submission import Queued
from pastelbot.store.jobs.store import JobStore

MESSAGE = "/channels/*/messages/*"
MESSAGES = "/channels/*/messages"
CALLBACK = "/interactions/*/callback"
ORIGINAL = "/webhooks/*/*/messages/@original"

LOST = pytest.mark.parametrize(("status", "code"), [(502, 0), (400, 40060)])


async def nothing(*_args, **_kwargs):
    """Stand for a step that the bot did not live to take."""


async def busy(*_args, **_kwargs):
    raise StorageBusyError("The database is busy.")


def assert_one_picture(studio):
    """Return the only message there is, which must have a picture."""
    (message,) = studio.messages
    assert len(message.attachments) == 1
    return message


async def job_now(studio):
    (job,) = await studio.jobs.with_status(*JobStatus)
    return job


@LOST
async def test_a_lost_answer_is_no_second_message(studio, monkeypatch, status, code):
    """V8: Discord has the answer, and the bot hears of an error."""
    lose_answers(monkeypatch, "POST", CALLBACK, status=status, code=code)
    await studio.imagine()
    (shown,) = studio.messages
    assert (await job_now(studio)).reply.message_id == shown.id
    message = await studio.finish()

    assert assert_one_picture(studio).id == shown.id == message.id


async def test_a_lost_answer_is_found_in_the_channel_where_it_cannot_be_asked_for(studio, monkeypatch):
    """V8."""
    lose_answers(monkeypatch, "POST", CALLBACK)
    studio.env.inject_error("GET", ORIGINAL, status=404, code=10015)
    await studio.imagine()
    (shown,) = studio.messages
    await studio.finish()

    assert assert_one_picture(studio).id == shown.id


async def test_a_lost_answer_is_asked_for_where_the_channel_cannot_be_read(studio, monkeypatch):
    """V8."""
    lose_answers(monkeypatch, "POST", CALLBACK)
    studio.env.inject_error("GET", MESSAGES, status=403, code=50001, times=None)
    await studio.imagine()
    (shown,) = studio.messages
    await studio.finish()

    assert assert_one_picture(studio).id == shown.id


async def test_a_message_that_was_not_recorded_before_a_kill_is_found(studio, monkeypatch):
    """V8: killed between Discord's taking the answer and its record."""
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "set_message", nothing)
        await studio.imagine()
    (shown,) = studio.messages
    await studio.kill()
    await studio.restart()
    assert (await job_now(studio)).reply.message_id is None
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 20, 40)
    await studio.says("20%", shown.id)
    await studio.finish()

    assert assert_one_picture(studio).id == shown.id


async def test_an_end_is_shown_in_a_message_that_was_not_recorded(studio, monkeypatch):
    """V8, V9."""
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "set_message", nothing)
        await studio.imagine()
    (shown,) = studio.messages
    await studio.kill()
    await studio.restart()
    await studio.bot.services.dispatcher.end((await job_now(studio)).id, JobStatus.FAILED, reason="of a test")
    await studio.says("of a test", shown.id)

    assert len(studio.messages) == 1


async def delete_first_message(studio):
    """Ask for a picture whose message is deleted while it is painted; return the job's id."""
    first = (await studio.imagine()).response
    (job_id,) = await studio.painting()
    await studio.mod.delete(first)
    return job_id


@pytest.mark.parametrize("times", [1, 2])
async def test_a_new_message_whose_answer_is_lost_is_not_sent_twice(studio, monkeypatch, times):
    """V7: also when it is lost twice."""
    job_id = await delete_first_message(studio)
    lose_answers(monkeypatch, "POST", MESSAGES, times=times)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    assert (await studio.message_of(job_id)).id == assert_one_picture(studio).id


async def test_a_new_message_that_was_not_recorded_before_a_kill_is_not_sent_twice(studio, monkeypatch):
    """V7: killed after Discord took the picture."""
    job_id = await delete_first_message(studio)
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "posted", nothing)
        studio.executor.finish(job_id)
        await eventually(lambda: studio.messages)
        await studio.kill()
    await studio.restart()
    await studio.status(job_id, JobStatus.DONE)

    assert (await studio.message_of(job_id)).id == assert_one_picture(studio).id


async def test_a_message_too_old_to_be_edited_is_replaced_once(studio, monkeypatch):
    """V7: the old one is in the channel too, and is not taken for the new one."""
    first = (await studio.imagine()).response
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", f"/channels/*/messages/{first.id}", status=429, code=30046, times=None)
    lose_answers(monkeypatch, "POST", MESSAGES)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    old, new = studio.messages
    assert (old.id, len(old.attachments), len(new.attachments)) == (first.id, 0, 1)
    assert (await job_now(studio)).reply.message_id == new.id


async def test_of_messages_begun_twice_one_stays(studio, monkeypatch):
    """V8: an earlier bot left two; the one with less to show is removed."""
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "set_message", nothing)
        await studio.imagine()
    (shown,) = studio.messages
    channel = studio.bot.get_channel(studio.channel.id)
    original = await channel.fetch_message(shown.id)
    await channel.send(original.content, view=View.from_message(original, timeout=None))
    assert len(studio.messages) == 2
    await studio.kill()
    await studio.restart()
    await studio.finish()

    assert assert_one_picture(studio).id == shown.id


async def test_a_channel_that_is_gone_before_the_answer_ends_the_job(studio):
    """V8: where neither the answer nor the channel can be had, the search finds nothing and the job is refunded."""
    studio.env.inject_error("POST", CALLBACK, status=404, code=10062)
    for method in ("GET", "POST"):
        studio.env.inject_error(method, MESSAGES, status=404, code=10003, times=None)
    await studio.imagine()
    await studio.status((await job_now(studio)).id, JobStatus.FAILED)

    assert await studio.charged() == 0


async def test_messages_of_other_jobs_are_not_taken(studio):
    """V7: the search goes by the job's own buttons."""
    other = (await studio.imagine("another", by=studio.kenji)).response
    await studio.painting()
    await studio.mod.delete((await studio.imagine()).response)
    message = await studio.finish(1)

    assert message.id != other.id
    assert len(studio.messages) == 2
    assert studio.message(other.id).content.startswith(("⏳", "🎨"))


@pytest.mark.parametrize("end", ["close", "kill"])
@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
async def test_an_end_that_was_not_shown_is_shown_after_the_restart(studio, end, status):
    """V9: the end is in the database, and Discord was away, or the bot was stopped or killed before the edit."""
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, times=None)
    await studio.bot.services.dispatcher.end(job_id, status, reason="of a test")
    await eventually(studio.edits)
    await (studio.bot.close() if end == "close" else studio.kill())
    studio.env.backend.faults.clear()
    await studio.restart()
    await studio.says({JobStatus.FAILED: "of a test"}.get(status, "Cancelled"), result.response.id)
    await eventually(lambda: not studio.bot.messages.pending)

    assert await studio.service.ends_not_shown() == []
    assert await studio.charged() == 0


async def test_an_end_that_was_never_published_is_shown_after_the_restart(studio):
    """V9: killed between the commit and the dispatcher's next item."""
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    await studio.jobs.end(job_id, JobStatus.FAILED, now=studio.clock(), reason="of a test")
    await studio.kill()
    await studio.restart()

    assert "Not charged." in (await studio.says("of a test", result.response.id)).content


async def test_an_end_is_shown_when_discord_is_back(studio):
    """V9."""
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=503, times=6)
    await studio.bot.services.dispatcher.end(job_id, JobStatus.FAILED, reason="of a test")
    await studio.says("of a test", result.response.id)
    await eventually(lambda: not studio.bot.messages.pending)

    assert len(studio.edits()) == 7
    assert await studio.service.ends_not_shown() == []


async def test_an_end_that_is_shown_is_not_shown_again(studio):
    """V9."""
    result = await studio.imagine()
    await studio.painting()
    await studio.hana.click(result.response, label="Cancel")
    await studio.says("Cancelled", result.response.id)
    await eventually(lambda: not studio.bot.messages.pending)
    edits = len(studio.edits())
    await studio.bot.close()
    await studio.restart()

    assert not studio.bot.messages.pending
    assert len(studio.edits()) == edits


@pytest.mark.parametrize("status", [403, 404])
async def test_an_end_that_cannot_be_shown_is_not_tried_for_ever(studio, status):
    """V9."""
    await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=status, times=None)
    studio.env.inject_error("POST", MESSAGES, status=403, times=None)
    await studio.bot.services.dispatcher.end(job_id, JobStatus.FAILED, reason="of a test")
    await eventually(lambda: not studio.bot.messages.pending)

    assert await studio.service.ends_not_shown() == []


async def test_a_job_that_ends_before_it_is_introduced_has_one_message(studio):
    """Of several jobs of one plan, the last may have failed before the first is introduced."""
    await studio.imagine()
    message = await studio.finish()
    (first,) = await studio.jobs.with_status(JobStatus.DONE)
    reply = ReplyTarget(channel_id=first.reply.channel_id, guild_id=first.reply.guild_id)
    job = await insert_job(studio.jobs, studio.hana.id, first.request, reply, now=studio.clock())
    await studio.bot.services.dispatcher.end(job.id, JobStatus.FAILED, reason="of a test")
    end = await studio.says("of a test")
    await eventually(lambda: not studio.bot.messages.pending)
    await studio.bot.messages.introduce(Queued(job=job, position=1))

    assert [each.id for each in studio.messages] == [message.id, end.id]


async def test_a_message_that_could_not_be_recorded_is_not_sent_again_when_its_job_is_introduced(studio, monkeypatch):
    """The database is busy while the end of a job without a message is shown; the message is known all the same."""
    await studio.imagine()
    message = await studio.finish()
    (first,) = await studio.jobs.with_status(JobStatus.DONE)
    reply = ReplyTarget(channel_id=first.reply.channel_id, guild_id=first.reply.guild_id)
    job = await insert_job(studio.jobs, studio.hana.id, first.request, reply, now=studio.clock())
    with monkeypatch.context() as patch:
        for name in ("set_message", "end_shown"):
            patch.setattr(JobStore, name, busy)
        await studio.bot.services.dispatcher.end(job.id, JobStatus.FAILED, reason="of a test")
        end = await studio.says("of a test")
        await studio.bot.messages.introduce(Queued(job=job, position=1))

    assert [each.id for each in studio.messages] == [message.id, end.id]


async def test_a_job_introduced_after_its_end_was_sent_and_the_answer_lost_has_one_message(studio, monkeypatch):
    """Found by the simulation: what ends the job came before its first message, and is tried again after it."""
    await studio.imagine()
    message = await studio.finish()
    (first,) = await studio.jobs.with_status(JobStatus.DONE)
    reply = ReplyTarget(channel_id=first.reply.channel_id, guild_id=first.reply.guild_id)
    job = await insert_job(studio.jobs, studio.hana.id, first.request, reply, now=studio.clock())
    lose_answers(monkeypatch, "POST", MESSAGES)
    await studio.bot.services.dispatcher.end(job.id, JobStatus.FAILED, reason="of a test")
    await studio.says("of a test")
    await studio.bot.messages.introduce(Queued(job=job, position=1))
    await eventually(lambda: not studio.bot.messages.pending)

    assert message.id in [each.id for each in studio.messages]
    assert ["of a test" in each.content for each in studio.messages] == [False, True]


async def test_a_job_introduced_and_killed_before_its_lost_message_was_found_has_one_message(studio, monkeypatch):
    """Found by the simulation: as above, but the connection is away until the bot is killed."""
    await studio.imagine()
    message = await studio.finish()
    (first,) = await studio.jobs.with_status(JobStatus.DONE)
    reply = ReplyTarget(channel_id=first.reply.channel_id, guild_id=first.reply.guild_id)
    job = await insert_job(studio.jobs, studio.hana.id, first.request, reply, now=studio.clock())
    find, searches = MessageWriter.find, []

    async def find_once(writer, job):
        searches.append(job.id)
        if len(searches) > 1:
            raise ClientOSError
        return await find(writer, job)

    with monkeypatch.context() as patch:
        patch.setattr(MessageWriter, "find", find_once)
        lose_answers(patch, "POST", MESSAGES)
        await studio.bot.services.dispatcher.end(job.id, JobStatus.FAILED, reason="of a test")
        end = await studio.says("of a test")
        await studio.bot.messages.introduce(Queued(job=job, position=1))
        await studio.kill()
    await studio.restart()
    await eventually(lambda: not studio.bot.messages.pending)

    assert [each.id for each in studio.messages] == [message.id, end.id]


async def test_a_job_introduced_twice_after_a_lost_answer_has_one_message(studio, monkeypatch):
    """Found by the simulation: an interaction that comes twice introduces its jobs twice."""
    await studio.imagine()
    await studio.finish()
    (first,) = await studio.jobs.with_status(JobStatus.DONE)
    reply = ReplyTarget(channel_id=first.reply.channel_id, guild_id=first.reply.guild_id)
    job = await insert_job(studio.jobs, studio.hana.id, first.request, reply, now=studio.clock())
    lose_answers(monkeypatch, "POST", MESSAGES)
    for _ in range(2):
        await studio.bot.messages.introduce(Queued(job=job, position=1))

    assert len(studio.messages) == 2
    assert (await studio.jobs.get(job.id)).reply.message_id == studio.messages[1].id


async def test_a_deleted_job_is_shown_nowhere_again(studio):
    """V9: its message goes with it."""
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    await studio.bot.services.dispatcher.end(job_id, JobStatus.FAILED, reason="of a test")
    message = await studio.says("of a test", result.response.id)
    await studio.hana.click(message, label="Delete")
    await studio.bot.close()
    await studio.restart()
    await eventually(lambda: not studio.bot.messages.pending)

    assert studio.messages == []


async def test_late_progress_never_replaces_a_picture(studio):
    """V5: whichever side reports it."""
    await studio.imagine()
    message = await studio.finish()
    await eventually(lambda: not studio.bot.messages.pending)
    edits = len(studio.edits())
    job = await studio.jobs.get(job_of(message))
    studio.bot.messages.publish(BeingPainted(job=job, step=20, steps=40))
    await studio.env.settle()

    assert len(studio.edits()) == edits
    assert studio.message(message.id).attachments
