"""All that /imagine takes: options, flags, styles, LoRAs, pictures to start from, hidden and private pictures."""

import zlib

import discord
import pytest
from helpers.studio import fields, labels
from helpers.support import png

from pastelbot.records import JobStatus


async def request_of(studio):
    (job_id,) = await studio.painting()
    return (await studio.jobs.get(job_id)).request


async def job_now(studio):
    (job_id,) = await studio.painting()
    return await studio.jobs.get(job_id)


async def test_the_options_beyond_the_first_ones(studio):
    await studio.imagine(
        "1girl", schedule="Exponential", clip_skip=1, hires="1.5x", denoise=0.4, style=True, sampler="Euler"
    )
    request = await request_of(studio)

    assert ("mksks style, 1girl", "Euler", "Exponential", 1) == (
        request.prompt,
        request.sampler,
        request.schedule,
        request.clip_skip,
    )
    assert (0, 1.5, 0.4) == (request.hires.width, request.hires.scale, request.hires.denoising_strength)


async def test_the_style_is_not_asked_for_twice(studio):
    await studio.imagine("mksks style, 1girl", style=True)

    assert "mksks style, 1girl" == (await request_of(studio)).prompt


async def test_a_detail_of_the_hires_fix_asks_for_it(open_studio):
    studio = await open_studio(defaults={"hires": False})
    await studio.imagine("1girl", denoise=0.4)

    assert 0.4 == (await request_of(studio)).hires.denoising_strength


async def test_flags_in_the_prompt(studio):
    await studio.imagine("1girl, red hair —seed 5 --ar 3:2 --steps 30 --nohires --no bad hands, hat")
    request = await request_of(studio)

    assert ("1girl, red hair", 5, 30, None) == (request.prompt, request.seed, request.steps, request.hires)
    assert f"bad hands, hat, {studio.settings.defaults.negative_prompt}" == request.negative_prompt
    assert (160, 112) == (request.width, request.height)


async def test_an_option_counts_more_than_a_flag(studio):
    await studio.imagine("1girl --seed 5 --steps 30", seed=6)
    request = await request_of(studio)

    assert (6, 30) == (request.seed, request.steps)


async def test_the_aspect_ratio_goes_with_the_size_that_was_chosen(open_studio):
    studio = await open_studio(sizes={"square": {"first": "512x512", "hires": "1024x1024"}})
    await studio.imagine("1girl --ar 16:9", size="square")
    request = await request_of(studio)

    assert (704, 384, 2.0) == (request.width, request.height, request.hires.scale)


async def test_none_is_an_empty_negative_prompt(studio):
    await studio.imagine("1girl", negative="none")

    assert "" == (await request_of(studio)).negative_prompt


async def test_wildcards_follow_the_seed(studio):
    await studio.imagine("1girl, __hair_color__", seed=7)
    await studio.imagine("1girl, __HairColor__", seed=7, by=studio.kenji)
    await studio.painting(2)

    first, second = (request.prompt for request in studio.executor.painting.values())
    assert first == second
    assert first.endswith(" hair")


PICKS = "1girl, {red|blue|pink|green} hair, __expression__"


async def test_each_of_several_pictures_has_words_of_its_own_as_it_would_have_alone(studio):
    await studio.imagine(PICKS, seed=7, count=4)
    several = await request_of(studio)
    message = await studio.finish()
    for number in range(4):
        await studio.imagine(PICKS, seed=7 + number, count=1)
        alone = await request_of(studio)
        await studio.finish()
        assert alone == several.alone(number)

    prompts = [several.alone(number).prompt for number in range(4)]
    assert len(set(prompts)) > 1
    assert message.content.startswith(f"**1. {prompts[0]}**\n**2. {prompts[1]}**\n")
    assert f"**4. {prompts[3]}** · <@{studio.hana.id}>\n-# seeds 7, 8, 9, 10" in message.content
    described = [each.description for each in message.attachments]
    assert described == [f"Painted picture of: {prompt} (seed {7 + place})" for place, prompt in enumerate(prompts)]


async def test_lists_pick_for_each_picture_what_it_avoids(studio):
    await studio.imagine("1girl --no {hat|scarf|bow|ribbon|veil}", seed=7, count=4)
    request = await request_of(studio)
    avoided = [request.alone(number).negative_prompt.split(",")[0] for number in range(4)]

    assert len(set(avoided)) > 1
    content = (await studio.finish()).content
    assert all(f"without {each}" in content for each in avoided)


async def test_a_question_counts_the_pictures_that_differ(studio):
    asked = await studio.imagine("{day,night}, {red|blue|pink|green} hair, __expression__", seed=7, count=2)
    await studio.hana.click(asked.response, label="Paint")
    await studio.painting(2)
    day, night = studio.executor.painting.values()

    assert [each.prompt.replace("day", "night") for each in day.prompts] == [each.prompt for each in night.prompts]
    assert 2 == len(day.prompts)


async def test_pictures_with_words_of_their_own_are_edited_and_shared_one_by_one(studio):
    await studio.imagine(PICKS, seed=7, count=2)
    second = (await request_of(studio)).alone(1)
    message = await studio.finish()
    await studio.hana.click((await studio.more(studio.hana, message, "Share")).response, label="Share 2")
    found = await studio.hana.slash(studio.channel, "gallery")
    asked = await studio.hana.click(message, label="Edit")
    form = await studio.hana.click(asked.response, label="Edit 2")

    assert second.prompt == fields(form.modal)["prompt"]
    assert second.prompt in str(found.response.content) + str(found.response.components)
    await studio.hana.submit_modal(form, {**fields(form.modal)})
    assert second == await request_of(studio)


async def test_reroll_keeps_the_words_of_each_picture(studio):
    await studio.imagine(PICKS, seed=7, count=4)
    before = await request_of(studio)
    await studio.hana.click(await studio.finish(), label="Reroll")

    assert before.prompts == (await request_of(studio)).prompts


async def test_wildcards_of_the_operator(open_studio, tmp_path):
    folder = tmp_path / "lists" / "clothes"
    folder.mkdir(parents=True)
    (folder / "hat.txt").write_text("# hats\nstraw hat # nice\n\n")
    studio = await open_studio(prompts={"wildcards": tmp_path / "lists"})
    await studio.imagine("1girl, __clothes/hat__")

    assert "1girl, straw hat" == (await request_of(studio)).prompt


async def test_the_button_edit_shows_the_expanded_prompt(studio):
    await studio.imagine(r"1girl, {straw hat|straw hat}, \{x\}, \--seed", seed=7)
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")
    fields = {label["component"]["custom_id"]: label["component"] for label in form.modal["components"]}

    assert r"1girl, straw hat, \{x\}, \--seed" == fields["prompt"]["value"]
    await studio.hana.submit_modal(form, {"prompt": fields["prompt"]["value"], "negative": "", "seed": "8"})
    assert "1girl, straw hat, {x}, --seed" == (await request_of(studio)).prompt


REFUSALS = [
    ({"prompt": "1girl --sed 5"}, "There is no flag --sed (at character 7). Did you mean --seed"),
    ({"prompt": "1girl --seed abc"}, "The flag --seed at character 7 cannot be used: 'abc' is not a seed"),
    ({"prompt": "1girl --steps many"}, "'many' is not a whole number"),
    ({"prompt": "1girl --cfg nan"}, "'nan' is not a number"),
    ({"prompt": "1girl --ar 9:1"}, "The aspect ratio 9:1 is too wide: 1:4 to 4:1"),
    ({"prompt": "1girl --ar 1:9"}, "The aspect ratio 1:9 is too narrow"),
    ({"prompt": "1girl --ar wide"}, "not an aspect ratio"),
    ({"prompt": "1girl --steps 61"}, "over the cap of 60"),
    ({"prompt": "1girl --sampler Eulr"}, "There is no sampler 'Eulr'. Did you mean Euler"),
    ({"prompt": "1girl --size poster"}, "'poster' is not a size"),
    ({"prompt": "1girl --hires 9x"}, "4x at most"),
    ({"prompt": "1girl, {red,blue"}, "The brace { at character 8 is never closed"),
    (
        {"prompt": "1girl, __hair_colr__"},
        "There is no wildcard `__hair_colr__` (at character 8). Did you mean `__hair_color__`?",
    ),
    ({"prompt": "{a,b,c,d}{a,b,c,d}"}, "16 different prompts; the limit is 12"),
    ({"prompt": "--seed 5"}, "The prompt is empty"),
    ({"prompt": ", ,,"}, "The prompt has nothing but commas, brackets and the like"),
    ({"prompt": "{, BREAK}"}, "The prompt has nothing but commas, brackets and the like"),
    ({"prompt": "a" * 8000}, "8,000 characters; the limit is 4,000"),
    ({"prompt": "🎨" * 3900}, "tokens, which are 52 chunks of 75; the limit is 40 chunks"),
    ({"prompt": "1girl", "negative": "@" * 3900}, "The negative prompt has 3,899 tokens"),
    ({"prompt": "1girl", "clip_skip": 13}, "Clip skip 13 does not work: ask for 1 to 12"),
    ({"prompt": "1girl", "denoise": 1.5}, "A denoising strength of 1.5 is not possible: ask for 0.01 to 1"),
    ({"prompt": "1girl", "strength": 0.5}, "A strength belongs to a picture to start from"),
    ({"prompt": "1girl", "preset": "mine"}, "There is no preset 'mine'. "),
    ({"prompt": "1girl", "lora": "soft"}, "LoRA"),
    ({"prompt": "1girl", "lora": ">"}, "is not the name of a LoRA"),
    ({"prompt": "1girl", "init": ("a.txt", b"hello")}, "cannot be read: send a PNG, JPEG or WebP file"),
    ({"prompt": "1girl", "init": ("a.png", png(size=(64, 64))), "hires": "on"}, "do not go together"),
    ({"prompt": "1girl", "init": ("a.png", png(size=(64, 64))), "strength": 2.0}, "strength of 2 is not possible"),
]


@pytest.mark.parametrize(("options", "words"), REFUSALS, ids=[f"{number:02d}" for number in range(len(REFUSALS))])
async def test_what_cannot_be_read_is_refused_privately_with_its_place(studio, options, words):
    text = await studio.refused(await studio.imagine(**options))

    assert words in text
    assert text.endswith("Not charged.")


async def test_a_picture_of_30000_by_30000_pixels_is_refused(studio):
    header = png(size=(8, 8))
    bomb = header[:16] + (30_000).to_bytes(4, "big") * 2 + header[24:]
    bomb = bomb[:29] + zlib.crc32(bomb[12:29]).to_bytes(4, "big") + bomb[33:]
    text = await studio.refused(await studio.imagine("1girl", init=("a.png", bomb)))

    assert "25,000,000 pixels" in text


async def test_a_picture_to_start_from(studio):
    await studio.imagine("1girl", init=("a.png", png(size=(192, 128))), strength=0.3)
    request = await request_of(studio)

    assert (192, 128, None, 0.3) == (request.width, request.height, request.hires, request.init.denoising_strength)


async def test_defaults_over_a_cap_come_down_to_it(open_studio):
    studio = await open_studio(
        defaults={"steps": 30}, limits={"max_steps": 12, "max_side": 120, "max_hires_side": 200, "max_cfg": 5}
    )
    await studio.imagine("1girl")
    request = await request_of(studio)

    assert (12, 5, 120, 120, 200, 12) == (
        request.steps,
        request.cfg_scale,
        request.width,
        request.height,
        request.hires.width,
        request.hires.steps,
    )


async def test_a_default_hires_fix_that_may_not_be_painted_is_left_out(open_studio):
    studio = await open_studio(limits={"max_hires_side": 128})
    await studio.imagine("1girl")

    assert (await request_of(studio)).hires is None


async def test_a_spoiler_is_hidden_with_its_previews_and_so_are_its_children(studio):
    await studio.imagine("1girl", spoiler=True, seed=7)
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 10, 40, png())
    shown = await studio.says("10%")
    assert [] == shown.attachments
    message = await studio.finish()
    await studio.hana.click(message, label="Reroll")
    child = await studio.finish()

    assert ["SPOILER_pastelbot-7.png"] == [file.filename for file in message.attachments]
    assert child.attachments[0].filename.startswith("SPOILER_")
    assert job_id == (await studio.jobs.by_message(child.id)).options.origin


async def test_every_button_remembers_where_its_picture_came_from(studio):
    await studio.imagine("1girl", seed=7, hires="off")
    message = await studio.finish()
    parent = (await studio.jobs.by_message(message.id)).id
    await studio.hana.click(message, label="Reroll")
    asked = await studio.hana.click(message, label="Hires")
    await studio.hana.click(asked.response, label="Faithful")
    form = await studio.more(studio.hana, message, "Seed")
    await studio.hana.submit_modal(form, {"seed": "8"})
    form = await studio.hana.click(message, label="Edit")
    await studio.hana.submit_modal(form, {"prompt": "2girls", "negative": "", "seed": "8"})
    more = await studio.hana.click(message, label="More")
    asked = await studio.hana.click(more.response, label="Vary")
    await studio.hana.click(asked.response, label="Subtle")
    waiting = await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED)

    assert [parent] * 5 == [job.options.origin for job in waiting]
    assert ["reroll", "hires", "seed", "edit", "vary"] == [job.options.made_with for job in waiting]


async def test_edit_has_fields_for_the_sampler_and_hires(studio):
    await studio.imagine("1girl", seed=7)
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")
    answers = {"prompt": "1girl --steps 9", "negative": "", "seed": "8", "sampler": ["Euler a"], "hires": ["off"]}
    await studio.hana.submit_modal(form, answers)
    request = await request_of(studio)

    assert ("Euler a", None, 9, 8) == (request.sampler, request.hires, request.steps, request.seed)


async def test_a_private_picture_comes_as_a_direct_message(studio):
    result = await studio.imagine("1girl", private=True, seed=7)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    (message,) = studio.hana.user.dm_channel.history()
    assert [] == studio.messages
    assert "seed 7" in message.content
    assert ["pastelbot-7.png"] == [file.filename for file in message.attachments]
    note = result.response
    assert note.ephemeral
    assert f"https://discord.com/channels/@me/{studio.hana.user.dm_channel.id}/{message.id}" in note.content


async def test_a_private_picture_survives_the_token_and_a_restart(studio):
    await studio.imagine("1girl", private=True, seed=7)
    await studio.painting()
    await studio.bot.close()
    await studio.env.advance_time(3600)
    await studio.restart()
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    (message,) = studio.hana.user.dm_channel.history()
    assert "seed 7" in message.content


async def test_the_buttons_of_a_private_picture_follow_the_servers_rules(open_studio):
    """They work where direct messages are off, and the quota is the server's."""
    studio = await open_studio(discord={"direct_messages": False})
    await studio.imagine("1girl", private=True, seed=7)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)
    (message,) = studio.hana.user.dm_channel.history()
    await studio.hana.user.click(message, label="Reroll")
    child = await job_now(studio)

    assert (studio.guild.id, studio.channel.id) == (child.reply.guild_id, child.options.home_channel_id)
    assert (True, job_id) == (child.options.private, child.options.origin)
    assert studio.hana.user.dm_channel.id == child.reply.channel_id
    assert [] == studio.messages


async def test_a_private_job_hides_its_prompt_in_the_line(studio):
    await studio.imagine("secret wishes", private=True)
    result = await studio.kenji.slash(studio.channel, "queue")

    assert "secret" not in result.response.content


async def test_closed_direct_messages_are_an_error_before_anything_is_queued(studio):
    studio.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)
    result = await studio.imagine("1girl", private=True)

    text = result.response.content
    assert "allow direct messages in this server's privacy settings" in text
    assert text.endswith("Not charged.")
    assert [] == await studio.jobs.with_status(*JobStatus)


async def test_a_private_picture_over_the_quota_leaves_no_message_behind(open_studio):
    studio = await open_studio(quota={"work_per_day": 0.001})
    result = await studio.imagine("1girl", private=True)

    assert result.response.content.endswith("Not charged.")
    assert [] == studio.hana.user.dm_channel.history()


async def test_direct_messages_are_refused_kindly_where_they_are_off(open_studio):
    studio = await open_studio(discord={"direct_messages": False})
    person = studio.env.create_user("alone")
    result = await person.slash("imagine", prompt="1girl")

    assert "does not paint in direct messages" in result.response.content


@pytest.mark.parametrize("kind", ["voice", "thread", "forum"])
async def test_voice_chats_threads_and_forum_posts(studio, kind):
    """In a thread the settings are those of its channel."""
    place = await place_of(studio, kind)
    await studio.mod.slash(studio.channel, "settings set", steps=9)
    await studio.imagine("1girl --ar 1:1", channel=place, by=studio.mod)
    await studio.painting()
    (job,) = await studio.jobs.with_status(JobStatus.LEASED)

    assert (place.id, 9) == (job.reply.channel_id, job.request.steps)
    studio.executor.finish(job.id)
    await studio.status(job.id, JobStatus.DONE)
    assert "Reroll" in labels(place.history(viewer=studio.mod)[-1])


async def place_of(studio, kind):
    if kind == "voice":
        return studio.guild.create_voice_channel("talk")
    parent, options = studio.channel, {"type": discord.ChannelType.public_thread}
    if kind == "forum":
        parent, options = studio.guild.create_forum_channel("ideas"), {"content": "a post"}
        await studio.env.settle()
    made = await studio.bot.get_channel(parent.id).create_thread(name="details", **options)
    thread = made.thread if kind == "forum" else made
    await thread.add_user(discord.Object(studio.mod.id))
    return next(each for each in parent.threads if each.id == thread.id)


async def test_the_lora_option_appends_its_tag(open_studio, tmp_path):
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "soft.safetensors").write_bytes(b"")
    studio = await open_studio(checkpoint={"loras": tmp_path / "loras"})
    offered = await studio.hana.autocomplete(studio.channel, "imagine", "lora", "so:0.5", prompt="1girl")
    assert ["soft:0.5"] == [choice["value"] for choice in offered]
    for typed, tag in (("soft", "<lora:soft:1>"), ("soft:0.5", "<lora:soft:0.5>")):
        await studio.imagine("1girl", lora=typed)
        (job_id,) = await studio.painting()
        assert f"1girl {tag}" == (await studio.jobs.get(job_id)).request.prompt
        studio.executor.finish(job_id)
        await studio.status(job_id, JobStatus.DONE)

    text = (await studio.imagine("1girl", lora="sofd_light")).response.content
    assert "soft" in text
    assert text.endswith("Not charged.")
