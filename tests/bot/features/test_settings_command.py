"""What people, channels and servers draw with where nothing is typed."""

import pytest
from discord import AppCommandType, Permissions
from helpers.docs import leaves, read


@pytest.fixture
async def admin(studio):
    role = studio.guild.create_role("admins", permissions=Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user("admin"), roles=[role])


@pytest.fixture
def say(studio):
    async def say(person, command, **options):
        return (await person.slash(studio.channel, f"settings {command}", **options)).response

    return say


async def painted(studio, **options):
    await studio.imagine(options.pop("prompt", "1girl"), **options)
    job_id = (await studio.painting())[-1]
    request = (await studio.jobs.get(job_id)).request
    studio.executor.finish(job_id)
    return request


async def test_ones_own_settings_are_used_where_nothing_is_typed(studio, say):
    answer = await say(
        studio.hana,
        "set",
        negative="none",
        size="portrait",
        steps=9,
        cfg=5.5,
        sampler="Euler a",
        clip_skip=1,
        hires="1.5x",
        denoise=0.4,
        count=2,
        style=True,
    )
    request = await painted(studio)

    assert answer.ephemeral
    assert "Kept as your own settings." in answer.content
    assert "- `steps` 9 — set by you" in answer.content
    assert "- `hires` 1.5x — set by you" in answer.content
    assert ("mksks style, 1girl", "", 128, 192, 9, 5.5, "Euler a", 1, 2) == (
        request.prompt,
        request.negative_prompt,
        request.width,
        request.height,
        request.steps,
        request.cfg_scale,
        request.sampler,
        request.clip_skip,
        request.count,
    )
    assert (1.5, 0.4) == (request.hires.scale, request.hires.denoising_strength)


async def test_what_is_typed_counts_more(studio, say):
    await say(studio.hana, "set", steps=9, sampler="DPM++ 2M Karras", schedule="Exponential")
    request = await painted(studio, steps=8, sampler="Euler")

    assert (8, "Euler", "Automatic") == (request.steps, request.sampler, request.schedule)


async def test_levels(studio, say, admin):
    await say(admin, "server set", steps=5, cfg=5, clip_skip=1)
    await say(admin, "channel set", steps=6, cfg=6)
    await say(studio.hana, "set", steps=7)
    request = await painted(studio)
    text = (await say(studio.hana, "show")).content

    assert (7, 6, 1) == (request.steps, request.cfg_scale, request.clip_skip)
    assert "`steps` 7 — set by you" in text
    assert "`cfg` 6 — set by this channel" in text
    assert "`clip_skip` 1 — set by this server" in text


async def test_a_servers_defaults_and_texts_around_prompts(studio, say, admin):
    await say(admin, "server set", negative="lowres")
    answer = await say(admin, "server house", prefix="masterpiece", suffix="soft light")
    request = await painted(studio, style=True)

    assert "`prefix` masterpiece" in answer.content
    assert ("mksks style, masterpiece, 1girl, soft light", "lowres") == (request.prompt, request.negative_prompt)
    await say(admin, "server house", prefix="none")
    assert "1girl, soft light" == (await painted(studio)).prompt


async def test_hidden_pictures_by_default(studio, say):
    await say(studio.hana, "set", spoiler=True)
    await studio.imagine("1girl", seed=3)
    message = await studio.finish()

    assert ["SPOILER_pastelbot-3.png"] == [file.filename for file in message.attachments]


async def test_reset(studio, say, admin):
    await say(studio.hana, "set", steps=7, hires="1.5x", cfg=3)
    await say(admin, "server house", prefix="masterpiece")
    await say(studio.hana, "reset", name="hires")
    request = await painted(studio)
    assert (7, 256) == (request.steps, request.hires.width)

    await say(studio.hana, "reset")
    await say(admin, "server reset")
    request = await painted(studio)
    assert (20, 7, "1girl") == (request.steps, request.cfg_scale, request.prompt)


async def test_hires_on_is_as_large_as_usual_whatever_the_server_says(studio, say, admin):
    await say(admin, "server set", hires="1.5x", cfg=5)
    await say(studio.hana, "set", hires="on")

    assert 256 == (await painted(studio)).hires.width
    assert "- `hires` on — set by you" in (await say(studio.hana, "show")).content


async def test_hires_on_forgets_an_old_scale(studio, say):
    await say(studio.hana, "set", hires="1.5x")
    await say(studio.hana, "set", hires="on")

    assert 256 == (await painted(studio)).hires.width


REFUSALS = [
    ("set", {}, "There is nothing to set"),
    ("set", {"steps": 61}, "over the cap of 60"),
    ("set", {"size": "poster"}, "'poster' is not a size"),
    ("set", {"size": "4096x4096"}, "over the cap of 1280"),
    ("set", {"sampler": "Eulr"}, "Did you mean Euler"),
    ("set", {"schedule": "Karas"}, "Did you mean Karras"),
    ("set", {"hires": "huge"}, "is not a valid value for hires"),
    ("set", {"denoise": 2.0}, "ask for 0.01 to 1"),
    ("set", {"count": 5}, "over the cap of 4"),
    ("set", {"clip_skip": 0}, "ask for 1 to 12"),
    ("set", {"negative": "(a:1.2.3)"}, "The negative prompt cannot be read"),
    ("set", {"negative": "{a"}, "is never closed"),
    ("reset", {"name": "stps"}, "There is no setting 'stps'. Did you mean steps"),
    ("channel set", {"steps": 9}, "for those who may manage the server"),
    ("server set", {"steps": 9}, "for those who may manage the server"),
    ("server house", {"prefix": "x"}, "for those who may manage the server"),
    ("channel reset", {}, "for those who may manage the server"),
    ("server reset", {}, "for those who may manage the server"),
]


@pytest.mark.parametrize(("command", "options", "words"), REFUSALS, ids=[f"{number:02d}" for number in range(18)])
async def test_what_cannot_be_set_is_refused_when_it_is_set(studio, say, command, options, words):
    answer = await say(studio.hana, command, **options)

    assert answer.ephemeral
    assert words in answer.content
    assert {} == (await studio.bot.services.preferences.effective_defaults(actor(studio))).merged.set_fields()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({}, "nothing to set"),
        ({"prefix": "a" * 1001}, "The prefix has 1,001 characters; the limit is 1,000"),
        ({"suffix": "(a:1.2.3)"}, "The suffix cannot be read"),
    ],
)
async def test_texts_that_cannot_stand_around_prompts(say, admin, texts, words):
    assert words in (await say(admin, "server house", **texts)).content


async def test_settings_over_a_cap_that_came_later_come_down(open_studio):
    studio = await open_studio()
    await studio.hana.slash(studio.channel, "settings set", steps=50)
    await studio.bot.close()
    studio.settings = studio.settings.model_copy(
        update={"limits": studio.settings.limits.model_copy(update={"max_steps": 30})}
    )
    await studio.restart()

    assert 30 == (await painted(studio)).steps


async def test_the_servers_caps_win_over_all_defaults_and_what_is_typed_is_refused(studio, say, admin):
    await say(studio.hana, "set", steps=15, size="portrait")
    await admin.slash(studio.channel, "admin caps set", steps=10, size=128, hires=0)
    request = await painted(studio)
    refused = (await studio.imagine("1girl --steps 15")).response.content

    assert (10, 80, 128, None) == (request.steps, request.width, request.height, request.hires)
    assert "The number of steps, 15, is over the cap of 10: ask for less. Not charged." in refused


async def test_values_are_offered(studio):
    async def offered(command, name, typed):
        return [choice["value"] for choice in await studio.hana.autocomplete(studio.channel, command, name, typed)]

    assert ["Euler a", "Euler"] == await offered("settings set", "sampler", "eul")
    assert ["portrait"] == await offered("settings set", "size", "por")
    assert ["steps"] == await offered("settings reset", "name", "ste")
    assert ["prefix"] == await offered("settings server reset", "name", "pre")


async def test_the_user_guide_has_it_and_every_menu(studio):
    guide = read("docs/user-guide.md")
    for name, options in leaves(studio.bot.tree.get_command("settings")):
        assert f"`{name}`" in guide
        assert all(f"`{option}`" in guide for option in options)
    for menu in studio.bot.tree.get_commands(type=AppCommandType.message):
        assert f"*Apps > {menu.name}*" in guide


def actor(studio):
    from pastelbot.records import Actor

    return Actor(user_id=studio.hana.id, guild_id=studio.guild.id, channel_id=studio.channel.id)
