"""Jobs of a server that the bot has left are cancelled and refunded, not painted (V30)."""

import pytest
from helpers.studio import job_of
from helpers.support import eventually

from pastelbot.records import JobStatus


async def jobs_by_prompt(studio):
    return {job.request.prompt: job.status for job in await studio.jobs.with_status(*JobStatus)}


def leave(studio):
    studio.env.backend.remove_guild(studio.guild.id)


@pytest.fixture
async def busy(open_studio):
    """A studio that paints one job, while another waits, and so does one of another server."""
    studio = await open_studio(worker={"jobs_at_once": 1})
    await studio.imagine("painted")
    await studio.painting()
    await studio.imagine("waiting", by=studio.kenji)
    other = studio.env.create_guild("another")
    miko = other.add_member(studio.env.create_user("miko"))
    await studio.imagine("elsewhere", by=miko, channel=other.create_text_channel("art"))
    return studio


LEFT = {"painted": JobStatus.CANCELLED, "waiting": JobStatus.CANCELLED, "elsewhere": JobStatus.LEASED}


async def test_leaving_a_server_cancels_and_refunds_its_jobs(busy):
    leave(busy)

    async def left():
        return await jobs_by_prompt(busy) == LEFT

    await eventually(left)
    assert [request.prompt for request in busy.executor.painting.values()] == ["elsewhere"]
    assert await busy.charged(busy.hana) == await busy.charged(busy.kenji) == 0
    await eventually(lambda: len(busy.bot.messages.pending) <= 1)
    assert await busy.service.ends_not_shown() == []


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_a_server_that_was_left_while_the_bot_was_away(busy, end):
    """Discord does not tell of it again: the servers are compared when the bot is online."""
    await (busy.bot.close() if end == "close" else busy.kill())
    leave(busy)
    await busy.restart()

    async def left():
        return await jobs_by_prompt(busy) == LEFT

    await eventually(left)
    assert await busy.charged(busy.hana) == await busy.charged(busy.kenji) == 0


async def test_a_restart_cancels_nothing_of_servers_that_are_there(busy):
    await busy.bot.close()
    await busy.restart()
    await busy.painting()
    await busy.env.settle()

    assert JobStatus.CANCELLED not in (await jobs_by_prompt(busy)).values()


async def test_a_server_that_is_only_unavailable_keeps_its_jobs(busy):
    busy.env.backend.emit("GUILD_DELETE", {"id": str(busy.guild.id), "unavailable": True})
    await busy.env.settle()

    assert JobStatus.CANCELLED not in (await jobs_by_prompt(busy)).values()


async def test_the_message_of_a_private_job_says_that_it_is_cancelled(studio):
    await studio.imagine("1girl", private=True)
    await studio.painting()
    leave(studio)
    channel = studio.hana.user.dm_channel
    await eventually(lambda: "Cancelled" in channel.history()[0].content)

    assert (await studio.jobs.get(job_of(channel.history()[0]))).status is JobStatus.CANCELLED


async def test_a_job_of_direct_messages_belongs_to_no_server(studio):
    await studio.hana.user.slash("imagine", prompt="1girl", hires="off")
    await studio.painting()
    leave(studio)
    await studio.env.settle()

    assert list((await jobs_by_prompt(studio)).values()) == [JobStatus.LEASED]
