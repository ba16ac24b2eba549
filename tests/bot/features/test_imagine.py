import io

import discord
import pytest
from helpers.simulator import restrict_channels
from helpers.studio import custom_ids, job_of, labels
from PIL import Image

from pastelbot.records import JobStatus
from pastelbot.store.jobs.store import JobStore

PICTURE = 20 * (128 * 128 + 256 * 256) / 1e6  # the bundled checkpoint's default picture, in megapixel-steps


async def test_a_message_goes_from_the_line_through_progress_to_the_picture(studio):
    result = await studio.imagine("1girl, red hair", seed=7)
    (job_id,) = await studio.painting()
    message = result.response

    assert "**Queued**, 1st in line" in message.content
    assert "> 1girl, red hair" in message.content
    assert ["Cancel"] == labels(message.message)
    studio.executor.progress(job_id, 10, 40)
    shown = await studio.says("10%", message.id)
    assert ["Cancel"] == labels(shown)

    done = await studio.finish()

    assert message.id == done.id
    assert done.content.startswith(f"**1girl, red hair** · {studio.hana.mention}\n-# seed 7 · ")
    assert ["Reroll", "Edit", "Vary", "More"] == labels(done)
    assert len(studio.messages) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "1girl, smile --no hat, glasses"}, " · without hat, glasses · "),
        ({"prompt": "1girl", "negative": "hat, *bold*"}, r" · avoids hat, \*bold\* · "),
        ({"prompt": "1girl", "negative": "none"}, " · avoids nothing · "),
    ],
)
async def test_what_is_avoided_beside_the_usual_is_said(studio, options, said):
    await studio.imagine(**options)

    assert said in (await studio.finish()).content


async def test_nothing_is_said_of_the_usual_negative_prompt(studio):
    await studio.imagine("1girl")
    content = (await studio.finish()).content

    assert "avoids" not in content
    assert "without" not in content


async def test_the_picture_is_attached_with_its_seed_and_a_description(studio):
    await studio.imagine("1girl, red hair", seed=7)
    message = await studio.finish()

    (attachment,) = message.attachments
    picture = Image.open(io.BytesIO(await attachment.read()))
    assert (attachment.filename, picture.format) == ("pastelbot-7.png", "PNG")
    assert attachment.description == "Painted picture of: 1girl, red hair (seed 7)"


async def test_what_is_left_out_is_as_the_operator_set_it(studio):
    await studio.imagine("1girl")
    (job_id,) = await studio.painting()

    request = (await studio.jobs.get(job_id)).request
    default = studio.settings.defaults
    assert (default.negative_prompt, default.steps, default.cfg, default.clip_skip) == (
        request.negative_prompt,
        request.steps,
        request.cfg_scale,
        request.clip_skip,
    )
    assert (request.sampler, request.schedule, request.count) == ("DPM++ 2M", "Karras", 1)
    assert (request.width, request.height, request.hires.width, request.hires.height) == (128, 128, 256, 256)


async def test_left_out_seeds_differ(studio):
    await studio.imagine("1girl")
    await studio.imagine("1girl", by=studio.kenji)
    await studio.painting(2)

    first, second = (request.seed for request in studio.executor.painting.values())
    assert first != second


async def test_every_option_reaches_the_request_and_the_settings_line(studio):
    await studio.imagine(
        "1girl",
        negative="lowres",
        size="128x192",
        seed=4294967295,
        steps=30,
        cfg=8.5,
        sampler="Euler a",
        hires="off",
        count=1,
    )
    message = await studio.finish()

    request = (await studio.jobs.get(job_of(message))).request
    assert (request.negative_prompt, request.width, request.height, request.hires) == ("lowres", 128, 192, None)
    assert "-# seed 4294967295 · 128x192 · Euler a · 30 steps" in message.content
    assert " · 30 steps · CFG 8.5 · clip skip 2 · avoids lowres · 0.1 s" in message.content


async def test_the_settings_line_tells_of_the_hires_fix(studio):
    await studio.imagine("1girl", size="portrait", seed=1)
    message = await studio.finish()

    assert "-# seed 1 · 128x192 → 256x384 · DPM++ 2M Karras · 20+20 steps · CFG 7 · " in message.content


async def test_two_pictures_share_a_message_and_cost_two(studio):
    await studio.imagine("1girl", seed=7, count=2)
    message = await studio.finish()

    assert [a.filename for a in message.attachments] == ["pastelbot-7.png", "pastelbot-8.png"]
    assert "seeds 7, 8" in message.content
    assert await studio.charged(studio.hana) == 2


async def test_it_is_acknowledged_while_the_worker_is_busy_and_the_place_in_line_moves(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    await studio.imagine("first")
    await studio.painting()
    second = await studio.imagine("second", by=studio.kenji)

    assert "2nd in line" in second.response.content
    await studio.finish()
    await studio.painting()
    assert [request.prompt for request in studio.executor.painting.values()] == ["second"]


async def test_it_paints_in_a_direct_message(studio):
    person = studio.env.create_user("alone")
    await person.slash("imagine", prompt="1girl", seed=3)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    (message,) = person.dm_channel.history()
    assert "seed 3" in message.content


async def test_a_prompt_pings_no_user_and_formats_nothing(studio):
    prompt = "@everyone, <@123456789012345678>, **bold**, `code`, ||spoiler||, [a](https://example.org)"
    await studio.imagine(prompt)
    message = await studio.finish()

    shown = message.content.splitlines()[0]
    assert "@everyone" not in shown
    assert "<@123456789012345678>" not in shown
    assert r"\*\*bold\*\*, \`code\`, \|\|spoiler\|\|, \[a](https\://example.org)" in shown
    bodies = [body.get("data", body) for body in studio.sent("callback") + studio.sent("messages")]
    assert [{"parse": []}] * len(bodies) == [body["allowed_mentions"] for body in bodies]


@pytest.mark.parametrize("letter", ["a", "*", "🎨", "@"])
async def test_the_longest_prompt_fits_into_the_message(open_studio, letter):
    studio = await open_studio(limits={"max_chunks": 100})
    await studio.imagine(letter * 4000, seed=7, count=4)
    message = await studio.finish()

    assert len(message.content) <= 2000
    assert message.content.splitlines()[0].endswith(f"…** · {studio.hana.mention}")
    assert message.content.splitlines()[1].startswith("-# seeds 7, 8, 9, 10 · ")
    assert all(len(attachment.description) <= 1024 for attachment in message.attachments)


async def test_a_long_prompt_is_shortened_in_the_message_but_not_for_the_painter(studio):
    prompt = ", ".join(f"tag{number}" for number in range(500))
    await studio.imagine(prompt)
    await studio.painting()

    (request,) = studio.executor.painting.values()
    assert prompt == request.prompt


async def test_size_offers_the_named_sizes(studio):
    async def offered(typed):
        choices = await studio.hana.autocomplete(studio.channel, "imagine", "size", typed, prompt="1girl")
        return [choice["value"] for choice in choices]

    assert await offered("") == ["square", "portrait", "landscape"]
    assert await offered(" LAND") == ["landscape"]
    assert await offered("192x1") == ["landscape"]
    assert await offered("4:3") == []


REFUSALS = [
    ({"prompt": "   "}, "prompt is empty", "1girl, red hair, smile"),
    ({"prompt": "a" * 4001}, "prompt has 4,001 characters", "limit is 4,000"),
    ({"negative": "a" * 4001}, "negative prompt has 4,001 characters", "limit is 4,000"),
    ({"size": "huge"}, "'huge' is not a size", "portrait"),
    ({"size": "4096x4096"}, "width of 4096 pixels is over the cap", "1280"),
    ({"size": "128x4096"}, "height of 4096 pixels is over the cap", "1280"),
    ({"size": "130x128"}, "130 pixels does not work", "multiple of 8"),
    ({"size": "8x128"}, "8 pixels does not work", "64 to 1280"),
    ({"size": "1280x1280", "hires": "on"}, "hires fix would paint 2560x2560", "2048"),
    ({"seed": -2}, "seed -2 is outside", "0 to 4294967295"),
    ({"seed": 4294967296}, "seed 4294967296 is outside", "0 to 4294967295"),
    ({"steps": 61}, "number of steps, 61, is over", "60"),
    ({"steps": 0}, "number of steps, 0,", "at least 1"),
    ({"cfg": 30.5}, "CFG scale, 30.5, is over", "30"),
    ({"cfg": 0.5}, "CFG scale, 0.5,", "at least 1"),
    ({"count": 5}, "number of pictures, 5, is over", "4"),
    ({"count": 0}, "number of pictures, 0,", "at least 1"),
]


@pytest.mark.parametrize(
    ("options", "cause", "limit"), REFUSALS, ids=[str(case[0])[:24].replace("/", " ") for case in REFUSALS]
)
async def test_what_cannot_be_done_is_refused_privately_and_free(studio, options, cause, limit):
    result = await studio.imagine(**{"prompt": "1girl"} | options)

    text = await studio.refused(result)
    assert cause in text
    assert limit in text
    assert text.endswith("Not charged.")


async def test_a_broken_prompt_is_refused_with_its_cause(studio):
    text = await studio.refused(await studio.imagine("1girl, (smile:1.2.3)"))

    assert "The prompt cannot be read" in text
    assert "1.2.3" in text
    assert text.endswith("Not charged.")


async def test_a_user_without_quota_learns_when_there_is_more(open_studio):
    studio = await open_studio(quota={"work_per_day": 3 * PICTURE, "saved_days": 1})
    await studio.imagine(count=2)
    result = await studio.imagine(count=2)

    assert result.response.ephemeral
    assert "That would cost 2 usual pictures, and you have 1 left; 3 more come <t:" in result.response.content
    assert result.response.content.endswith(":R>. Not charged.")
    studio.clock.advance(days=1)
    assert not (await studio.imagine(count=2)).response.ephemeral


async def test_no_user_fills_the_queue_alone(open_studio):
    studio = await open_studio(limits={"waiting_per_user": 2})
    for _ in range(2):
        await studio.imagine()
    result = await studio.imagine()

    assert "You have 2 jobs queued, which is the limit" in result.response.content
    assert result.response.content.endswith("Not charged.")
    assert await studio.charged(studio.hana) == 2
    assert not (await studio.imagine(by=studio.kenji)).response.ephemeral


@pytest.mark.parametrize(("right", "name"), [("send_messages", "Send Messages"), ("attach_files", "Attach Files")])
async def test_where_the_bot_may_not_post_it_says_what_it_lacks(studio, right, name):
    denied = discord.PermissionOverwrite(**{right: False})
    channel = studio.guild.create_text_channel("quiet", overwrites={studio.bot.user: denied})

    text = await studio.refused(await studio.imagine(channel=channel))

    assert f"it lacks: {name}. Not charged." in text


async def test_an_unexpected_error_is_answered_with_a_mark_that_the_log_has(studio, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(JobStore, "insert", broken)
    result = await studio.imagine()

    assert result.response.ephemeral
    assert "Something went wrong here, and it is in the log as `" in result.response.content
    assert "ZeroDivision" not in result.response.content


async def test_queue_shows_who_is_painted_for_and_who_waits(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    empty = await studio.hana.slash(studio.channel, "queue")
    await studio.imagine("first")
    await studio.painting()
    await studio.imagine("**second**", by=studio.kenji)
    full = await studio.hana.slash(studio.channel, "queue")

    assert "The queue is empty" in empty.response.content
    first, second = full.response.content.splitlines()
    assert first == f"🎨 {studio.hana.mention} first"
    assert second == f"`2.` {studio.kenji.mention} \\*\\*second\\*\\*"
    assert full.response.ephemeral


async def test_queue_keeps_to_itself_what_is_painted_elsewhere(studio, monkeypatch):
    """Other servers' people and prompts are private, and so are those of age-restricted channels."""
    other = studio.env.create_guild("other")
    miko = other.add_member(studio.env.create_user("miko"))
    await studio.imagine("secret wishes", by=miko, channel=other.create_text_channel("secret"))
    restrict_channels(monkeypatch)
    await studio.imagine("only for adults", by=studio.kenji)
    inside = await studio.hana.slash(studio.channel, "queue")
    restrict_channels(monkeypatch, restricted=False)
    outside = await studio.hana.slash(studio.channel, "queue")

    assert f"{studio.kenji.mention} only for adults" in inside.response.content
    assert f"{studio.kenji.mention} *in an age-restricted channel*" in outside.response.content
    for answer in (inside, outside):
        assert "🎨 *a user elsewhere*" in answer.response.content
        assert str(miko.id) not in answer.response.content
        assert "secret" not in answer.response.content


async def test_buttons_carry_the_job_and_nothing_else(studio):
    await studio.imagine("secret wishes")
    message = await studio.finish()

    job_id = job_of(message)
    verbs = ("reroll", "edit", "vary", "more")
    assert custom_ids(message) == [f"pb:{verb}:{job_id}" for verb in verbs]
