"""V27: a direct message that was begun for a job is that job's, or it is removed."""

import pytest
from helpers.discord_faults import lose_answers

from pastelbot.bot.messages.begun_messages import BegunMessages
from pastelbot.errors import StorageBusyError
from pastelbot.records import JobStatus
from pastelbot.store.jobs.begun_messages import BegunMessageStore
from pastelbot.store.jobs.store import JobStore

MESSAGES = "/channels/*/messages"
MESSAGE = "/channels/*/messages/*"


def direct(studio):
    return studio.hana.user.dm_channel.history()


async def left(studio):
    """Return the messages that are noted as begun."""
    rows = await studio.bot.services.database.reader.all("SELECT message_id FROM begun_messages")
    return [row["message_id"] for row in rows]


async def kill_while(studio, monkeypatch, owner, method):
    """Ask for a private picture, and kill the bot before a step of it; start another bot."""

    async def stop(*_args, **_kwargs):
        raise RuntimeError("killed here")

    async def nothing(*_args, **_kwargs):
        """Stand for what a killed bot does not live to do."""

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, stop)
        patch.setattr(BegunMessages, "withdraw", nothing)
        await studio.imagine("1girl", private=True)
    await studio.kill()
    studio.clock.advance(seconds=1)
    await studio.restart()


async def test_a_message_without_a_job_is_removed_after_a_kill(studio, monkeypatch):
    await kill_while(studio, monkeypatch, JobStore, "insert")
    assert [message.content for message in direct(studio)] == ["⏳ One moment …"]
    await studio.bot.do_chores()

    assert direct(studio) == []
    assert await left(studio) == []


async def test_a_message_whose_answer_was_lost_is_found_and_removed(studio, monkeypatch):
    """Killed between Discord's taking it and the note of its number."""
    await kill_while(studio, monkeypatch, BegunMessageStore, "sent")
    assert len(direct(studio)) == 1
    assert await left(studio) == [None]
    await studio.bot.do_chores()

    assert direct(studio) == []
    assert await left(studio) == []


async def test_messages_of_jobs_stay(studio, monkeypatch):
    """Also beside one that was begun and left."""
    await studio.imagine("1girl", private=True)
    (kept,) = direct(studio)
    await kill_while(studio, monkeypatch, BegunMessageStore, "sent")
    await studio.bot.do_chores()

    assert [message.id for message in direct(studio)] == [kept.id]


async def test_what_is_begun_now_is_not_cleaned_up(studio, monkeypatch):
    found = []
    insert = JobStore.insert

    async def cleaning(store, *args, **kwargs):
        await studio.bot.do_chores()
        found.extend(direct(studio))
        return await insert(store, *args, **kwargs)

    monkeypatch.setattr(JobStore, "insert", cleaning)
    await studio.imagine("1girl", private=True)

    assert len(found) == 1
    assert await left(studio) == []
    assert len(await studio.jobs.with_status(*JobStatus)) == 1


async def test_a_job_that_is_not_queued_leaves_no_message(studio, monkeypatch):
    async def busy(*_args, **_kwargs):
        raise StorageBusyError("busy.")

    monkeypatch.setattr(JobStore, "insert", busy)
    await studio.imagine("1girl", private=True)

    assert direct(studio) == []
    assert await left(studio) == []


async def test_a_message_that_cannot_be_withdrawn_now_is_removed_later(studio, monkeypatch):
    async def busy(*_args, **_kwargs):
        raise StorageBusyError("busy.")

    monkeypatch.setattr(JobStore, "insert", busy)
    studio.env.inject_error("DELETE", MESSAGE, status=500)
    await studio.imagine("1girl", private=True)
    (message,) = direct(studio)
    assert await left(studio) == [message.id]
    studio.clock.advance(minutes=16)
    await studio.bot.do_chores()

    assert direct(studio) == []
    assert await left(studio) == []


async def test_a_lost_answer_leaves_no_message(studio, monkeypatch):
    lose_answers(monkeypatch, "POST", MESSAGES)
    result = await studio.imagine("1girl", private=True)
    assert result.response.content.endswith("try again in a minute. Not charged.")
    assert len(direct(studio)) == 1
    studio.clock.advance(minutes=16)
    await studio.bot.do_chores()

    assert direct(studio) == []


async def test_a_user_without_direct_messages_leaves_no_note(studio):
    studio.env.inject_error("POST", MESSAGES, status=403, code=50007)
    await studio.imagine("1girl", private=True)

    assert await left(studio) == []


@pytest.mark.parametrize(("status", "kept"), [(404, 0), (403, 0), (500, 1)])
async def test_what_cannot_be_removed_is_tried_again_unless_it_is_gone(studio, status, kept):
    await BegunMessageStore(studio.bot.services.database).begin(studio.channel.id, 1, now=studio.clock())
    studio.clock.advance(minutes=16)
    studio.env.inject_error("GET", MESSAGES, status=status)
    await studio.bot.do_chores()

    assert len(await left(studio)) == kept
