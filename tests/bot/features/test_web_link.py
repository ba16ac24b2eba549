"""`/web` and the page's jobs beside a running bot."""

import re

import pytest
from helpers.support import eventually

from pastelbot.options import GenerationOptions
from pastelbot.records import ON_PAGE, JobStatus, ReplyTarget


@pytest.fixture
async def studio(open_studio):
    return await open_studio(web={"enabled": True, "address": "https://paint.example/"})


async def link_of(studio, member):
    result = await member.slash(studio.channel, "web")
    assert result.response.ephemeral
    return re.search(r"<https://paint\.example/link/(\S+)>", result.response.content)[1]


async def test_the_link_signs_its_user_in_as_in_that_channel(studio):
    visitor = await studio.bot.services.sign_in.by_link(await link_of(studio, studio.hana))

    actor = visitor.actor
    assert visitor.name == "hana"
    assert (actor.user_id, actor.guild_id, actor.channel_id) == (studio.hana.id, studio.guild.id, studio.channel.id)
    assert not actor.manages_messages


async def test_there_is_no_command_without_a_page(open_studio):
    studio = await open_studio(web={"enabled": False})

    assert studio.bot.tree.get_command("web") is None


async def painted(studio, visitor):
    """Paint for a user of the page, and return the job's id."""
    services = studio.bot.services
    checked = await services.builder.build(visitor.actor, GenerationOptions(prompt="1girl", hires=False))
    target = ReplyTarget(channel_id=ON_PAGE, guild_id=visitor.actor.guild_id)
    (queued,) = await services.jobs.submit(checked, [target])
    return queued.job.id


async def test_a_job_of_the_page_is_settled_without_a_message(studio):
    visitor = await studio.bot.services.sign_in.by_link(await link_of(studio, studio.hana))
    before = len(studio.env.backend.messages.get(studio.channel.id, {}))
    job_id = await painted(studio, visitor)
    await eventually(lambda: job_id in studio.executor.painting)
    studio.executor.finish(job_id)

    async def is_done():
        return (await studio.bot.services.jobs.job(job_id)).status is JobStatus.DONE

    await eventually(is_done)
    assert len(studio.env.backend.messages.get(studio.channel.id, {})) == before


async def test_the_end_of_a_job_of_the_page_is_nothing_to_show_in_discord(studio):
    visitor = await studio.bot.services.sign_in.by_link(await link_of(studio, studio.hana))
    job_id = await painted(studio, visitor)

    await studio.bot.services.jobs.cancel(job_id, visitor.actor)

    assert await studio.bot.services.jobs.ends_not_shown() == []


async def test_jobs_of_local_accounts_are_not_those_of_a_server_that_was_left(studio):
    job_id = await painted(studio, studio.bot.services.sign_in.local_user())

    await studio.bot.services.jobs.end_elsewhere({studio.guild.id})

    assert not (await studio.bot.services.jobs.job(job_id)).status.ended
