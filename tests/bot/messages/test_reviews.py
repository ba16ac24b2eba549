"""Pictures that are rated as adult: shown, withheld for a moderator, or refused."""

from dataclasses import replace

import discord
import pytest
from discord import Permissions
from helpers.discord_faults import lose_answers
from helpers.fake_executors import FakeExecutor
from helpers.studio import labels
from helpers.support import eventually, png

from pastelbot.errors import NotAllowedError
from pastelbot.records import (
    RATING_FAILED,
    Actor,
    GenerationRequest,
    JobOptions,
    JobStatus,
    Painted,
    Picture,
    ReplyTarget,
)
from pastelbot.store.personal_data import PersonalStore
from pastelbot.store.stored_pictures import StoredPicture


@pytest.fixture
def boss(studio):
    return make_boss(studio)


def make_boss(studio):
    role = studio.guild.create_role("bosses", permissions=Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user("boss"), roles=[role])


@pytest.fixture
async def mods(studio, boss):
    """The moderators' channel, which the server has chosen for withheld pictures."""
    return await make_mods(studio, boss)


async def make_mods(studio, boss):
    mods = studio.guild.create_text_channel("mods")
    await boss.slash(studio.channel, "admin mod_channel", channel=mods)
    return mods


async def paint(studio, *ratings, by=None):
    """Paint a request of as many pictures with these ratings; return its id and the answer."""
    result = await studio.imagine(count=len(ratings), by=by)
    (job_id,) = await studio.painting()
    finish(studio.executor, job_id, ratings)
    return job_id, result.response.id


def finish(executor, job_id, ratings):
    executor.painting.pop(job_id)
    pictures = tuple(
        Picture(png=png(), seed=number, width=8, height=4, infotext="1girl\nSeed: 1", rating=rating)
        for number, rating in enumerate(ratings)
    )
    executor.emit(Painted(job_id=job_id, pictures=pictures, seconds=0.1))


async def asked(mods):
    """Wait until moderators are asked; return the message."""
    await eventually(lambda: mods.last_message)
    return mods.last_message


@pytest.mark.parametrize("rating", ["general", "sensitive", None])
async def test_what_is_harmless_or_not_rated_is_shown(studio, mods, rating):
    job_id, message_id = await paint(studio, rating)
    await studio.status(job_id, JobStatus.DONE)

    assert studio.message(message_id).attachments
    assert mods.last_message is None


@pytest.mark.parametrize("ratings", [["explicit"], ["questionable"], [RATING_FAILED], ["general", "explicit"]])
async def test_without_a_mod_channel_adult_pictures_are_refused_and_refunded(studio, ratings):
    job_id, message_id = await paint(studio, *ratings)
    message = await studio.says("this is not an age-restricted channel", message_id)

    assert message.content.splitlines()[1] == "Not charged."
    assert message.attachments == []
    assert await studio.used(studio.hana) == 0
    assert await studio.jobs.pictures(job_id) == []
    assert (await studio.jobs.get(job_id)).status is JobStatus.FAILED


async def test_a_withheld_picture_waits_for_a_moderator(studio, mods):
    job_id, message_id = await paint(studio, "explicit")
    question = await asked(mods)
    message = await studio.says("**Withheld**", message_id)

    assert message.attachments == []
    assert ["Cancel"] == labels(message)
    assert "**Withheld** (explicit): asked for by" in question.content
    assert f"<#{studio.channel.id}>" in question.content
    assert ["Approve", "Reject"] == labels(question)
    assert all(file.is_spoiler() for file in question.attachments)
    job = await studio.jobs.get(job_id)
    assert (job.status, job.withheld) == (JobStatus.RENDERED, True)


@pytest.mark.parametrize("answer", ["Approve", "Reject"])
async def test_question_and_answer_about_the_longest_prompt_fit_into_a_message(studio, mods, answer):
    """The studio holds every message against Discord's rules."""
    await studio.imagine("*@" * 1400)
    (job_id,) = await studio.painting()
    finish(studio.executor, job_id, ["explicit"])
    await studio.mod.click(await asked(mods), label=answer)
    await studio.status(job_id, JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)

    assert f"**{answer}" in mods.last_message.content


async def test_an_approved_picture_is_shown_in_its_message(studio, mods):
    job_id, message_id = await paint(studio, "explicit")
    question = await asked(mods)
    await studio.mod.click(question, label="Approve")
    await studio.status(job_id, JobStatus.DONE)

    message = studio.message(message_id)
    assert message.attachments
    assert "Reroll" in labels(message)
    closed = mods.last_message
    assert f"**Approved** by {studio.mod.mention}" in closed.content
    assert (closed.attachments, closed.components) == ([], [])
    assert await studio.used(studio.hana) > 0


async def test_a_rejected_picture_is_deleted_refunded_and_told(studio, mods):
    job_id, message_id = await paint(studio, "explicit")
    question = await asked(mods)
    files = list(studio.settings.storage.pictures.rglob("*.png"))
    await studio.mod.click(question, label="Reject")
    message = await studio.says("a moderator looked at it and decided not to show it", message_id)

    assert "Not charged." in message.content
    assert files
    assert not any(file.exists() for file in files)
    assert await studio.used(studio.hana) == 0
    assert (await studio.jobs.get(job_id)).status is JobStatus.FAILED
    closed = mods.last_message
    assert f"**Rejected** by {studio.mod.mention}" in closed.content
    assert closed.attachments == []


async def test_only_moderators_and_admins_decide(studio, mods, boss):
    job_id, _ = await paint(studio, "explicit")
    question = await asked(mods)
    result = await studio.kenji.click(question, label="Approve")

    assert result.response.ephemeral
    assert "may manage the server" in result.response.content
    assert (await studio.jobs.get(job_id)).withheld
    await boss.click(question, label="Approve")
    await studio.status(job_id, JobStatus.DONE)
    log = (await boss.slash(studio.channel, "admin log")).response.content
    assert f"{boss.mention} approved a withheld picture of {studio.hana.mention}" in log


async def test_a_second_decision_comes_too_late(studio, mods):
    job_id, _ = await paint(studio, "explicit")
    await asked(mods)
    actor = Actor(user_id=studio.mod.id, guild_id=studio.guild.id, manages_messages=True)
    job = await studio.jobs.get(job_id)
    reviews = studio.bot.services.reviews
    await reviews.reject(job, actor)

    with pytest.raises(Exception, match="nothing left to decide"):
        await reviews.approve(job, actor)
    with pytest.raises(NotAllowedError, match="another server"):
        await reviews.approve(job, replace(actor, guild_id=7))


async def test_buttons_and_questions_outlive_a_restart(studio, mods):
    job_id, message_id = await paint(studio, "explicit")
    question = await asked(mods)
    await studio.says("**Withheld**", message_id)
    await eventually(lambda: reviewed(studio, job_id))
    await studio.bot.close()
    await studio.restart()

    assert [question.id] == [message.id for message in mods.history(viewer=studio.mod)]
    assert studio.message(message_id).attachments == []
    await studio.mod.click(question, label="Approve")
    await studio.status(job_id, JobStatus.DONE)
    assert studio.message(message_id).attachments


async def reviewed(studio, job_id):
    review = await studio.bot.services.reviews.review(await studio.jobs.get(job_id))
    return review.message_id


async def test_an_approval_that_was_not_shown_before_a_crash_is_shown_after_it(studio, mods):
    job_id, message_id = await paint(studio, "explicit")
    await asked(mods)
    await eventually(lambda: reviewed(studio, job_id))
    actor = Actor(user_id=studio.mod.id, guild_id=studio.guild.id, manages_messages=True)
    await studio.bot.services.reviews.approve(await studio.jobs.get(job_id), actor)
    await studio.kill()
    await studio.restart()
    await studio.status(job_id, JobStatus.DONE)

    assert studio.message(message_id).attachments


async def test_a_question_whose_answer_is_lost_is_asked_once(studio, mods, monkeypatch):
    """V7: the question shows the picture too."""
    lose_answers(monkeypatch, "POST", f"/channels/{mods.id}/messages")
    job_id, _ = await paint(studio, "explicit")
    await eventually(lambda: not studio.bot.messages.pending)

    (question,) = mods.history(viewer=studio.mod)
    review = await studio.bot.services.reviews.review(await studio.jobs.get(job_id))
    assert review.message_id == question.id


async def test_a_question_that_stays_too_large_ends_the_job(studio, mods):
    """V24."""
    studio.env.inject_error("POST", f"/channels/{mods.id}/messages", status=413, code=40005, times=5)
    job_id, _ = await paint(studio, "explicit")
    await studio.status(job_id, JobStatus.FAILED)

    assert await studio.charged() == 0
    assert mods.last_message is None


async def test_its_owner_can_withdraw_a_withheld_picture(studio, mods):
    _, message_id = await paint(studio, "explicit")
    await asked(mods)
    await studio.says("**Withheld**", message_id)
    await studio.hana.click(studio.message(message_id), label="Cancel")
    await studio.says("**Cancelled**, not charged.", message_id)

    await eventually(lambda: "Withdrawn" in mods.last_message.content)
    assert (mods.last_message.attachments, mods.last_message.components) == ([], [])
    assert await studio.used(studio.hana) == 0


async def test_a_mod_channel_that_is_gone_refuses(studio, mods):
    await studio.bot.get_channel(mods.id).delete()
    await studio.env.settle()
    _, message_id = await paint(studio, "explicit")
    message = await studio.says("Not charged.", message_id)

    assert "this is not an age-restricted channel" in message.content
    assert await studio.used(studio.hana) == 0


@pytest.mark.parametrize("gone", ["message", "channel"])
async def test_a_question_that_was_deleted_rejects(studio, mods, gone):
    """It could no longer be decided about, and it would wait for days."""
    job_id, message_id = await paint(studio, "explicit")
    await eventually(lambda: reviewed(studio, job_id))
    channel = studio.bot.get_channel(mods.id)
    await (channel.delete() if gone == "channel" else channel.get_partial_message(mods.last_message.id).delete())
    message = await studio.says("in which they were asked was deleted", message_id)

    assert message.content.endswith("> 1girl, red hair")
    assert "Not charged." in message.content
    assert await studio.used(studio.hana) == 0
    assert await studio.jobs.pictures(job_id) == []


async def test_what_nobody_decides_about_is_rejected_in_time(studio, mods, clock):
    job_id, message_id = await paint(studio, "explicit")
    await asked(mods)
    await eventually(lambda: reviewed(studio, job_id))
    reviews = studio.bot.services.reviews
    clock.advance(days=6)
    await reviews.expire()
    assert (await studio.jobs.get(job_id)).withheld
    clock.advance(days=1, seconds=1)
    await reviews.expire()

    await studio.says("none decided about it in time", message_id)
    await eventually(lambda: "Withdrawn" in mods.last_message.content)
    assert await studio.jobs.pictures(job_id) == []


@pytest.mark.parametrize("rating", ["explicit", RATING_FAILED])
async def test_adult_pictures_are_shown_where_they_may_be(studio, rating):
    """The simulator has no age-restricted channels, so the job says that it was asked for in one."""
    actor = Actor(user_id=studio.hana.id, guild_id=studio.guild.id, places=(studio.channel.id,), age_restricted=True)
    request = GenerationRequest(prompt="1girl, nude", width=64, height=64)
    reply = ReplyTarget(channel_id=studio.channel.id, guild_id=studio.guild.id)
    checked = await studio.bot.services.checker.check(actor, [request], JobOptions())
    (queued,) = await studio.service.submit(checked, [reply])
    await studio.painting()
    finish(studio.executor, queued.job.id, [rating])
    await studio.status(queued.job.id, JobStatus.DONE)

    assert (await studio.message_of(queued.job.id)).attachments


async def test_a_filter_that_fails_shows_nothing(studio, monkeypatch):
    monkeypatch.setattr(studio.bot.services.reviews, "judge", lambda _job: 1 / 0)
    job_id, message_id = await paint(studio, "general")
    await eventually(lambda: not studio.executor.painting)
    await studio.status(job_id, JobStatus.RENDERED)

    assert studio.message(message_id).attachments == []
    monkeypatch.undo()
    await studio.status(job_id, JobStatus.DONE)


async def test_with_the_tagger_on_no_preview_is_shown_and_a_missing_rating_withholds(open_studio):
    studio = await open_studio(tagger={"enabled": True, "path": "nowhere"}, executor=FakeExecutor())
    job = await anybody(studio)
    reviews = studio.bot.services.reviews

    assert not reviews.previews_allowed(job)
    assert reviews.previews_allowed(replace(job, options=JobOptions(adult_allowed=True)))
    for rating, expected in ((None, True), ("what is this", True), ("general", False)):
        picture = StoredPicture(number=0, file=None, size=0, seed=7, width=8, height=8, infotext="", rating=rating)
        assert await reviews.is_adult(job, picture) is expected


async def anybody(studio):
    await studio.imagine()
    (job_id,) = await studio.painting()
    return await studio.jobs.get(job_id)


async def test_the_gallery_hears_what_is_adult_by_rating_and_by_tags(studio, mods):
    job_id, _ = await paint(studio, "general")
    await studio.status(job_id, JobStatus.DONE)
    (picture,) = await studio.jobs.pictures(job_id)
    job = await studio.jobs.get(job_id)
    reviews = studio.bot.services.reviews

    assert not await reviews.is_adult(job, picture)
    assert await reviews.is_adult(job, replace(picture, rating="explicit"))
    assert await reviews.is_adult(replace(job, request=job.request.replace(prompt="nude")), picture)
    withheld, _ = await paint(studio, "explicit")
    await asked(mods)
    with pytest.raises(NotAllowedError, match="withheld"):
        await reviews.is_adult(await studio.jobs.get(withheld), picture)


async def test_a_channel_that_discord_restricts_takes_adult_tags_and_pictures(studio):
    """The simulator cannot say so, so the channel that discord.py knows is changed."""
    thread = await studio.bot.get_channel(studio.channel.id).create_thread(
        name="a thread", type=discord.ChannelType.public_thread
    )
    await studio.env.settle()
    studio.bot.get_channel(studio.channel.id).nsfw = True
    for channel in (studio.channel, next(each for each in studio.channel.threads if each.id == thread.id)):
        await studio.imagine("1girl, nude", channel=channel)
        (job_id,) = await studio.painting()
        finish(studio.executor, job_id, ["explicit"])
        await studio.status(job_id, JobStatus.DONE)

    refused = await studio.imagine("1girl, nude, loli")
    assert "That is not painted anywhere" in refused.response.content
    private = await studio.imagine("1girl, nude", private=True)
    assert "nor is a direct message" in private.response.content
    assert await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED) == []


async def test_a_withheld_picture_is_in_no_export(studio, mods):
    await paint(studio, "explicit")
    await asked(mods)
    store = PersonalStore(studio.bot.services.database)

    assert await store.pictures(studio.hana.id) == []
