"""Servers over several shards: which the bot is in, and what a lost shard changes."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from helpers.jobs import insert_job
from helpers.support import eventually

from pastelbot.bot.memberships import Memberships
from pastelbot.records import GenerationRequest, JobStatus, ReplyTarget


def server(number, shard=0):
    return SimpleNamespace(id=number, shard_id=shard)


@pytest.fixture
def servers():
    return [server(1), server(2), server(3, shard=1)]


@pytest.fixture
def memberships(servers):
    return Memberships(lambda: servers)


def test_a_server_that_a_new_session_does_not_have_is_left(memberships, servers):
    memberships.shard_lost(0)
    servers[0] = server(1)  # READY makes it anew
    memberships.shard_connected(0)

    assert memberships.ids() == {1, 3}
    memberships.joined(2)
    assert memberships.ids() == {1, 2, 3}


def test_what_joined_while_the_shard_was_there_is_known_too(memberships, servers):
    memberships.shard_connected(0)
    servers.append(server(4))
    memberships.shard_lost(0)
    memberships.shard_connected(0)

    assert memberships.ids() == {3}


async def test_a_shard_that_is_lost_before_it_is_ready_leaves_no_server(open_studio):
    """discord.py says two seconds after READY that the shard is ready, though it was lost again meanwhile."""
    studio = await open_studio()
    guild = studio.env.create_guild("lost twice")
    request, reply = GenerationRequest(prompt="1girl"), ReplyTarget(channel_id=1, guild_id=guild.id)
    job = await insert_job(studio.jobs, 1, request, reply, now=studio.clock())
    left = await insert_job(studio.jobs, 1, request, replace(reply, guild_id=12345), now=studio.clock())
    await studio.bot.on_shard_disconnect(0)
    await studio.bot.on_shard_ready(0)

    async def ended():
        return (await studio.jobs.get(left.id)).status is JobStatus.CANCELLED

    await eventually(ended)
    assert (await studio.jobs.get(job.id)).status is JobStatus.QUEUED


def test_other_shards_have_no_say(memberships):
    memberships.shard_lost(0)
    memberships.shard_connected(1)

    assert memberships.ids() == {1, 2, 3}


async def test_with_two_shards_jobs_of_both_go_on_and_those_of_a_left_server_end(open_studio):
    studio = await open_studio(discord={"shards": 2})
    guilds = [studio.env.create_guild(f"shard {shard}", shard_id=shard) for shard in (0, 1)]
    jobs = [
        await insert_job(
            studio.jobs,
            1,
            GenerationRequest(prompt="1girl"),
            ReplyTarget(channel_id=1, guild_id=guild),
            now=studio.clock(),
        )
        for guild in (guilds[0].id, guilds[1].id, 12345)
    ]
    await studio.bot.on_ready()

    async def ended():
        return (await studio.jobs.get(jobs[2].id)).status is JobStatus.CANCELLED

    await eventually(ended)
    assert [(await studio.jobs.get(job.id)).status for job in jobs[:2]] == [JobStatus.QUEUED] * 2
    assert studio.bot.shard_count == 2
