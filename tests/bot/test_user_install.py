"""User install: the bot is used in group messages and in servers that it is not in, where it may only answer.

The simulator knows neither, so a channel of its server stands for both: what the bot hears of it is changed, and it
must not use the channel in any other way than with the tokens of interactions.
"""

import re
from types import SimpleNamespace

import discord
import pytest
import simcord
from helpers.studio import labels
from helpers.support import eventually

from pastelbot.records import JobStatus
from pastelbot.store.quotas import Account

ELSEWHERE = 4_242_424_242  # a server that the bot is not in
LATE_SECONDS = 16 * 60


def as_group(payload, _user):
    """Say that a channel is a group of friends."""
    payload["channel"] = {"id": payload["channel_id"], "type": 3, "recipients": []}
    payload["context"] = 2


def as_foreign_server(payload, user):
    """Say that a channel is in a server that the bot is not in."""
    payload["guild_id"], payload["context"] = str(ELSEWHERE), 0
    payload["guild"] = {"id": str(ELSEWHERE), "locale": "en-US", "features": []}
    payload["member"] = {"user": user, "roles": [], "permissions": str(2**53 - 1), "flags": 0, "joined_at": None}


@pytest.fixture(params=[as_group, as_foreign_server])
def outside(request, monkeypatch):
    """Make all channels of the server places that the bot is not in."""
    real = simcord.interactions.base_payload

    def base_payload(*args, **named):
        record, payload = real(*args, **named)
        if named["guild_id"] is not None:
            member = payload.pop("member")
            del payload["guild_id"], payload["guild_locale"]
            payload["user"] = member["user"]
            request.param(payload, member["user"])
            payload["authorizing_integration_owners"] = {"1": member["user"]["id"]}
        return record, payload

    monkeypatch.setattr(simcord.interactions, "base_payload", base_payload)


@pytest.fixture
async def studio(open_studio, monkeypatch):
    """Return a studio whose tokens work in the background, too: there the simulator's adapter is not in the context."""
    studio = await open_studio(discord={"user_install": True})
    adapter = SimpleNamespace(get=lambda: studio.env._webhook_adapter)  # noqa: SLF001 - it has no public name
    monkeypatch.setattr(discord.webhook.async_, "async_context", adapter)
    return studio


@pytest.fixture
def touched(studio):
    """Return a function that counts the requests with the bot's own rights to the channel that it is not in."""
    before = len(studio.env.http_requests)
    path = re.compile(rf"/channels/{studio.channel.id}(/|$)")
    return lambda: [each.path for each in studio.env.http_requests[before:] if path.search(each.path)]


def direct(studio, person=None):
    """Return the messages that a person has from the bot."""
    return (person or studio.hana).user.dm_channel.history()


async def test_commands_are_offered_to_users_where_they_may_install_the_bot(open_studio):
    studio = await open_studio(first=True, discord={"user_install": True})
    sent = {command["name"]: command for command in studio.sent("/commands", "PUT")[-1]}

    assert ([0, 1], [0, 1, 2]) == (sent["imagine"]["integration_types"], sent["imagine"]["contexts"])
    for name in ("admin", "gallery", "web", "Who made this"):
        assert [0] == sent[name]["integration_types"]


async def test_commands_are_those_of_servers_alone_by_default(open_studio):
    studio = await open_studio(first=True)

    assert {None, (0,)} == {
        each and tuple(each) for each in (one.get("integration_types") for one in studio.sent("/commands", "PUT")[-1])
    }


@pytest.mark.usefixtures("outside")
async def test_a_picture_answers_the_interaction_and_the_bot_uses_no_other_right(studio, touched):
    result = await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    assert "**Queued**" in result.response.content
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    shown = studio.message(result.response.id)
    assert ["Reroll", "Edit", "Vary", "More", "Delete"] == labels(shown)
    assert 1 == len(shown.attachments)
    assert [] == touched()
    job = await studio.jobs.get(job_id)
    assert (None, None) == (job.reply.guild_id, job.reply.message_id)


@pytest.mark.usefixtures("outside")
async def test_it_costs_the_user_what_direct_messages_cost(studio):
    await studio.imagine("1girl")
    await studio.painting()
    quotas = studio.bot.services.quotas
    person = studio.hana.id

    assert 0 < await studio.used(studio.hana)
    state = await studio.bot.services.database.reader.all("SELECT guild_id FROM jobs WHERE user_id = ?", person)
    assert [None] == [row[0] for row in state]
    assert Account(user_id=person, guild_id=None) == Account(user_id=person)
    assert quotas.default


@pytest.mark.usefixtures("outside")
async def test_its_buttons_paint_again_for_their_owner_alone(studio, touched):
    result = await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)
    shown = studio.message(result.response.id)

    refused = await studio.kenji.click(shown, label="Reroll")
    assert "no longer known" in refused.response.content
    again = await studio.hana.click(shown, label="Reroll")
    assert "**Queued**" in again.response.content
    assert [] == touched()


@pytest.mark.usefixtures("outside")
async def test_several_jobs_answer_with_a_message_each(studio, touched):
    asked = await studio.imagine("{red,blue} hair")
    before = len(studio.messages)
    await studio.hana.click(asked.response, label="Paint")
    jobs = await studio.painting(2)
    for job_id in jobs:
        studio.executor.finish(job_id)
        await studio.status(job_id, JobStatus.DONE)

    assert before + 2 == len(studio.messages)
    assert [] == touched()


@pytest.mark.usefixtures("outside")
async def test_a_picture_that_comes_after_the_token_is_a_direct_message(studio, touched):
    result = await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    await studio.env.advance_time(LATE_SECONDS)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    (message,) = direct(studio)
    assert 1 == len(message.attachments)
    assert [] == studio.message(result.response.id).attachments
    assert message.id == (await studio.jobs.get(job_id)).reply.message_id
    assert [] == touched()


@pytest.mark.usefixtures("outside")
async def test_before_the_token_ends_the_message_says_where_the_picture_comes(studio):
    result = await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    studio.bot.messages.token_ends(job_id)
    await eventually(lambda: "as a direct message" in studio.message(result.response.id).content)

    (message,) = direct(studio)
    assert "**Queued**" in message.content
    assert [] == studio.message(result.response.id).components
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)
    (message,) = direct(studio)
    assert 1 == len(message.attachments)


@pytest.mark.usefixtures("outside")
async def test_after_a_restart_the_picture_is_a_direct_message(studio, touched):
    await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    await studio.kill()
    await studio.restart()
    await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    (message,) = direct(studio)
    assert 1 == len(message.attachments)
    assert [] == touched()


@pytest.mark.usefixtures("outside")
async def test_a_private_picture_is_a_direct_message(studio, touched):
    result = await studio.imagine("1girl", private=True)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    assert "comes to you alone" in result.response.content
    (message,) = direct(studio)
    assert 1 == len(message.attachments)
    assert [] == touched()


@pytest.mark.usefixtures("outside")
async def test_adult_words_are_refused_even_where_direct_messages_take_them(open_studio):
    studio = await open_studio(discord={"user_install": True}, house={"adult_in_direct_messages": True})

    assert "adult tag" in await studio.refused(await studio.imagine("1girl, nude"))


@pytest.mark.usefixtures("outside")
async def test_where_it_is_off_it_is_refused_in_a_sentence(open_studio):
    studio = await open_studio(discord={"direct_messages": True})

    assert "only in servers that it is in" in await studio.refused(await studio.imagine("1girl"))


@pytest.mark.usefixtures("outside")
async def test_a_finished_message_is_deleted_by_its_button(studio):
    result = await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)
    shown = studio.message(result.response.id)
    more = await studio.hana.click(shown, label="More")
    assert ["Seed", "Infotext"] == [label for label in labels(more.response) if label not in ("Vary", "Hires")]
    await studio.hana.click(shown, label="Delete")

    await eventually(lambda: studio.message(shown.id) is None)


async def test_in_a_server_that_has_the_bot_its_rules_hold(studio):
    await studio.imagine("1girl")
    (job_id,) = await studio.painting()

    assert studio.guild.id == (await studio.jobs.get(job_id)).reply.guild_id
