"""What is asked for is charged once, and an error says whether it is."""

import sqlite3

import aiohttp
import pytest
from discord import Permissions
from helpers.discord_faults import deliver_twice, lose_answers
from helpers.studio import job_of
from helpers.support import eventually

from pastelbot.errors import StorageBusyError, StorageClosedError, StorageFullError, StoreDamagedError
from pastelbot.records import JobStatus
from pastelbot.service.models.models import Models
from pastelbot.service.requests.submission import JobService
from pastelbot.store.jobs.store import JobStore

CALLBACK = "/interactions/*/callback"
FULL = StorageFullError("The disk of the bot is full, so nothing can be saved just now: try again later.")
BUSY = StorageBusyError("The bot's database is used by another program just now: try again in a minute.")
CLOSED = StorageClosedError("The bot is just stopping or restarting: try again in a minute.")
DAMAGED = StoreDamagedError("The bot's database is damaged: its operator has to repair it, and finds how in its log.")
OUTSIDE = pytest.mark.parametrize("error", [FULL, BUSY, CLOSED, DAMAGED])


def failing(error):
    async def fail(*_args, **_kwargs):
        raise error

    return fail


async def jobs_of(studio):
    return await studio.jobs.with_status(*JobStatus)


async def test_a_command_that_is_delivered_twice_is_one_job(open_studio, monkeypatch):
    """V11."""
    deliver_twice(monkeypatch)
    studio = await open_studio()
    await studio.imagine()
    message = await studio.finish()

    (job,) = await jobs_of(studio)
    assert await studio.charged() == 1
    assert [shown.id for shown in studio.messages] == [message.id]
    assert job_of(message) == job.id


async def test_a_button_that_is_delivered_twice_is_one_job(open_studio, monkeypatch):
    """V11."""
    deliver_twice(monkeypatch)
    studio = await open_studio()
    await studio.imagine()
    message = await studio.finish()
    await studio.hana.click(message, label="Reroll")
    await studio.finish()

    assert len(await jobs_of(studio)) == 2
    assert await studio.charged() == 2
    assert len(studio.messages) == 2


async def test_a_private_request_that_is_delivered_twice_is_one_job_with_one_message(open_studio, monkeypatch):
    """V11."""
    deliver_twice(monkeypatch)
    studio = await open_studio()
    await studio.imagine(private=True)
    await studio.painting()
    await eventually(lambda: len(studio.hana.user.dm_channel.history()) == 1)

    (job,) = await jobs_of(studio)
    (message,) = studio.hana.user.dm_channel.history()
    assert (await studio.jobs.get(job.id)).reply.message_id == message.id
    assert await studio.charged() == 1


async def test_a_confirmation_that_is_delivered_twice_queues_its_jobs_once(open_studio, monkeypatch):
    """V11."""
    deliver_twice(monkeypatch)
    studio = await open_studio()
    asked = (await studio.imagine("{red,blue} hair")).response
    await studio.hana.click(asked, label="Paint")
    await studio.painting(2)

    assert len(await jobs_of(studio)) == 2
    assert await studio.charged() == 2


async def test_work_that_is_granted_by_a_command_that_is_delivered_twice_is_granted_once(open_studio, monkeypatch):
    deliver_twice(monkeypatch)
    studio = await open_studio()
    role = studio.guild.create_role("boss", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    await boss.slash(studio.channel, "admin quota grant", member=studio.hana, work=5.0)

    assert await studio.bot.services.database.reader.number("SELECT count(*) FROM grants") == 1


async def test_an_interaction_is_one_job_after_a_restart_too(studio):
    """V11: the interaction's number is in the job's row."""
    submit, seen = JobService.submit, []

    async def noting(service, *args, **kwargs):
        seen.append((args, kwargs))
        return await submit(service, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobService, "submit", noting)
        await studio.imagine()
    await studio.bot.close()
    await studio.restart()
    ((args, kwargs),) = seen
    (again,) = await studio.service.submit(*args, **kwargs)

    (job,) = await jobs_of(studio)
    assert (again.job.id, again.repeated) == (job.id, True)
    assert await studio.charged() == 1


async def test_the_database_itself_holds_each_part_of_an_interaction_once(studio):
    """V11: two rows with one number cannot be, whatever code inserts them."""
    await studio.imagine()
    (job,) = await jobs_of(studio)
    columns = "user_id, request, status, created_at, cost, interaction_id, part"
    sql = f"INSERT INTO jobs (id, {columns}) SELECT 'another', {columns} FROM jobs WHERE id = ?"  # noqa: S608 - columns
    with sqlite3.connect(studio.settings.storage.database) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(sql, [job.id])


@OUTSIDE
async def test_an_error_after_the_job_was_queued_does_not_say_that_it_is_not_charged(studio, monkeypatch, error):
    """V6."""
    monkeypatch.setattr(Models, "notes", failing(error))
    await studio.imagine()
    text = (await eventually(lambda: [each for each in studio.sent("webhooks") if each.get("content")]))[-1]["content"]

    assert text == f"⚠️ {error} What you asked for is queued all the same, and charged: it will be shown."
    assert await studio.charged() == 1


async def test_an_unexpected_error_after_the_job_was_queued_says_that_it_is_charged(studio, monkeypatch):
    """V6."""
    monkeypatch.setattr(JobStore, "get", failing(ZeroDivisionError()))
    result = await studio.imagine()

    assert "Something went wrong here" in result.response.content
    assert "queued all the same, and charged" in result.response.content
    assert "Not charged" not in result.response.content


@OUTSIDE
async def test_a_message_that_cannot_be_recorded_is_there_all_the_same(studio, monkeypatch, error):
    """V6: the picture comes in that message, and the person hears of no error."""
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "set_message", failing(error))
        result = await studio.imagine()
    message = await studio.finish()

    assert result.response.id == message.id
    assert len(studio.messages) == 1


@OUTSIDE
async def test_causes_outside_the_program_have_their_own_sentences_and_no_traceback(studio, monkeypatch, error, capsys):
    """V31."""
    monkeypatch.setattr(JobStore, "insert", failing(error))
    result = await studio.imagine()

    assert result.response.content == f"⚠️ {error} Not charged."
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("error", [aiohttp.ServerDisconnectedError(), TimeoutError()])
async def test_an_outage_of_discord_has_its_own_sentence(studio, monkeypatch, error):
    """V31."""
    monkeypatch.setattr(JobStore, "insert", failing(error))
    result = await studio.imagine()

    assert result.response.content.startswith("⚠️ Discord does not answer the bot as it should just now")
    assert result.response.content.endswith("Not charged.")


async def test_a_plan_that_was_queued_is_not_offered_again(studio, monkeypatch):
    """V6, V11: an error after its jobs were queued does not put the plan back, so they are not queued twice."""
    asked = (await studio.imagine("{red,blue} hair")).response
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "get", failing(ZeroDivisionError()))
        await studio.hana.click(asked, label="Paint")
    await studio.hana.click(asked, label="Paint")

    assert len(await jobs_of(studio)) == 2
    assert await studio.charged() == 2


async def test_a_plan_that_could_not_be_queued_is_offered_again(studio, monkeypatch):
    asked = (await studio.imagine("{red,blue} hair")).response
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "insert", failing(BUSY))
        await studio.hana.click(asked, label="Paint")
    assert await jobs_of(studio) == []
    await studio.hana.click(asked, label="Paint")

    assert len(await jobs_of(studio)) == 2


async def test_a_private_request_goes_on_where_the_answer_to_its_deferral_was_lost(studio, monkeypatch):
    """V8: discord.py's retry hears that the interaction is answered already."""
    lose_answers(monkeypatch, "POST", CALLBACK, status=400, code=40060)
    await studio.imagine(private=True)
    await studio.painting()

    (message,) = studio.hana.user.dm_channel.history()
    assert job_of(message)
    assert await studio.charged() == 1
