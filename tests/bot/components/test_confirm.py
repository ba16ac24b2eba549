"""The question before several jobs."""

import discord
import pytest
from helpers.support import png

from pastelbot.records import JobStatus


@pytest.fixture
async def asked(studio):
    """Return the question about three prompts."""
    return await studio.imagine("{red,blue,green} hair, **1girl** @everyone", seed=7, count=2)


async def jobs(studio):
    return await studio.jobs.with_status(*JobStatus)


async def test_it_says_how_many_and_what_they_cost_and_queues_nothing_yet(studio, asked):
    text = asked.response.content

    assert asked.response.ephemeral
    assert "**3 jobs** with 6 pictures, and costs 6 usual pictures." in text
    assert "> red hair, \\*\\*1girl\\*\\*" in text
    assert "@everyone" not in text
    assert [] == await jobs(studio)


async def test_yes_queues_all_with_the_same_seed_and_a_message_each(studio, asked):
    await studio.hana.click(asked.response, label="Paint")
    await studio.painting(3)

    requests = list(studio.executor.painting.values())
    assert ["red", "blue", "green"] == [request.prompt.split()[0] for request in requests]
    assert {(7, 2)} == {(request.seed, request.count) for request in requests}
    for _ in range(3):
        message = await studio.finish()
        assert "seeds 7, 8" in message.content
    assert 3 == len(studio.messages)


async def test_yes_counts_though_the_question_is_gone(studio, asked):
    """Nothing may then say that it went wrong, or was not charged."""
    studio.env.inject_error("PATCH", "/webhooks/*/*/messages/*", status=404, code=10008)
    result = await studio.hana.click(asked.response, label="Paint")

    assert 3 == len(await studio.painting(3))
    assert [] == result.followups


async def test_no_queues_nothing(studio, asked):
    answer = await studio.hana.click(asked.response, label="Cancel")

    assert "Nothing is painted, and nothing was charged." in answer.response.content
    assert [] == await jobs(studio)


async def test_a_second_click_queues_nothing_more(studio, asked):
    await studio.hana.click(asked.response, label="Paint")
    await studio.painting(3)
    plan = f"pb:plan:yes:{'0' * 12}"
    taken = await studio.bot.services.confirmations.take(plan, studio.hana.id, now=studio.clock())

    assert taken is None
    assert 3 == len(await jobs(studio))


async def test_it_works_after_a_restart(studio, asked):
    await studio.bot.close()
    await studio.restart()
    await studio.hana.click(asked.response, label="Paint")

    assert 3 == len(await studio.painting(3))


async def test_it_expires_politely(studio, asked):
    studio.clock.advance(hours=2)
    answer = await studio.hana.click(asked.response, label="Paint")

    assert "type it again." in answer.response.content
    assert [] == await jobs(studio)


async def test_all_or_nothing_and_it_can_be_tried_again(open_studio):
    studio = await open_studio(limits={"waiting_per_user": 4})
    asked = await studio.imagine("{a,b,c}", seed=7)
    await studio.imagine("x")
    await studio.imagine("y")
    answer = await studio.hana.click(asked.response, label="Paint")

    assert "3 more would be over the limit of 4" in answer.followups[0].content
    assert answer.followups[0].content.endswith("Not charged.")
    assert 2 == len(await jobs(studio))
    for job in await jobs(studio):
        await studio.painting()
        studio.executor.finish(job.id)
        await studio.status(job.id, JobStatus.DONE)
    await studio.hana.click(asked.response, label="Paint")
    assert 3 == len(await studio.painting(3))


async def test_the_quota_holds_for_all_together(open_studio):
    studio = await open_studio(quota={"work_per_day": 4, "saved_days": 1})
    asked = await studio.imagine("{a,b,c}", seed=7)
    answer = await studio.hana.click(asked.response, label="Paint")

    assert answer.followups[0].content.endswith("Not charged.")
    assert [] == await jobs(studio)
    assert 0 == await studio.charged()


async def test_more_than_may_wait_is_refused_before_it_is_asked(open_studio):
    studio = await open_studio(limits={"waiting_per_user": 2})
    text = await studio.refused(await studio.imagine("{a,b,c}"))

    assert "That would be 3 jobs, and you may have 2 queued" in text


async def test_where_the_bot_may_not_post_nothing_is_asked(studio):
    denied = discord.PermissionOverwrite(send_messages=False)
    channel = studio.guild.create_text_channel("quiet", overwrites={studio.bot.user: denied})
    text = await studio.refused(await studio.imagine("{a,b}", channel=channel))

    assert "it lacks: Send Messages. Not charged." in text


async def test_several_private_pictures(studio):
    asked = await studio.imagine("{a,b}", seed=7, private=True, spoiler=True)
    await studio.hana.click(asked.response, label="Paint")
    for job_id in await studio.painting(2):
        studio.executor.finish(job_id)
        await studio.status(job_id, JobStatus.DONE)

    shown = studio.hana.user.dm_channel.history()
    assert 2 == len(shown)
    assert all(message.attachments[0].filename.startswith("SPOILER_") for message in shown)
    assert [] == studio.messages


async def test_a_picture_to_start_from_goes_with_all_of_them(studio):
    asked = await studio.imagine("{a,b}", init=("a.png", png(size=(64, 64))))
    await studio.hana.click(asked.response, label="Paint")
    await studio.painting(2)

    assert all(request.init is not None for request in studio.executor.painting.values())


async def test_an_edit_may_become_several(studio):
    await studio.imagine("1girl", seed=7)
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")
    asked = await studio.hana.submit_modal(form, {"prompt": "{1girl,1boy}", "negative": "", "seed": "7"})
    await studio.hana.click(asked.response, label="Paint")
    await studio.painting(2)

    parent = await studio.jobs.by_message(message.id)
    children = await studio.jobs.with_status(JobStatus.LEASED)
    assert [parent.id] * 2 == [job.options.origin for job in children]


async def test_a_far_too_large_picture_is_asked_about_with_the_size_that_fits(studio):
    asked = await studio.imagine("1girl", size="1024x1024", hires="off")

    assert asked.response.ephemeral
    assert "**1024x1024** is far from the sizes that this checkpoint was made for" in asked.response.content
    assert "fits it" in asked.response.content
    assert [] == await jobs(studio)


@pytest.mark.parametrize(
    ("label", "size"), [("Paint the size that fits", (512, 512)), ("Paint as asked", (1024, 1024))]
)
async def test_it_is_painted_as_answered(open_studio, label, size):
    studio = await open_studio(
        sizes={"square": {"first": "512x512", "hires": "1024x1024"}}, defaults={"size": "square"}
    )
    asked = await studio.imagine("1girl", size="1024x1024", hires="off")
    await studio.hana.click(asked.response, label=label)
    await studio.painting(1)
    (request,) = studio.executor.painting.values()

    assert size == (request.width, request.height)


async def test_it_says_when_it_would_be_ready_once_that_is_known(studio):
    await studio.imagine("1girl", hires="off", size="128x128", steps=20)
    await studio.painting()
    studio.clock.advance(seconds=2)
    await studio.finish()
    now = int(studio.clock().timestamp())
    asked = await studio.imagine("1girl", size="1024x1024", hires="off", steps=20)

    assert f"As asked, it would be ready <t:{now + 128}:R> at the earliest." in asked.response.content


async def test_a_picture_of_a_usual_size_is_not_asked_about(studio):
    await studio.imagine("1girl", size="192x192", hires="off")

    assert 1 == len(await studio.painting(1))
