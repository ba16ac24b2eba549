"""`/admin`: each command, and each refusal; also as a user who may not."""

import asyncio

import discord
import pytest
from discord import Permissions
from helpers.studio import job_of
from helpers.support import eventually
from simcord import SetupError

from pastelbot.records import Actor, JobStatus


@pytest.fixture
def boss(studio):
    """A member with Manage Server."""
    return make_boss(studio)


def make_boss(studio, name="boss"):
    role = studio.guild.create_role(f"{name}s", permissions=Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user(name), roles=[role])


@pytest.fixture
def admin(studio, boss):
    """Return a function that uses `/admin` and returns the private answer."""

    async def admin(name, by=boss, **options):
        result = await by.slash(studio.channel, f"admin {name}", **options)
        assert result.response.ephemeral
        return result.response.content

    return admin


async def refusal(studio, prompt="1girl", **options):
    return await studio.refused(await studio.imagine(prompt, **options))


async def test_discord_shows_it_to_those_who_manage_the_server(new_studio):
    (commands,) = new_studio.sent("commands", "PUT")
    (command,) = [command for command in commands if command["name"] == "admin"]

    assert int(command["default_member_permissions"]) == Permissions(manage_guild=True).value
    assert command["dm_permission"] is False
    with pytest.raises(SetupError):
        await new_studio.hana.slash(new_studio.channel, "admin show")


EVERY = [
    ("block", {"member": "hana"}),
    ("unblock", {"member": "hana"}),
    ("drain", {}),
    ("resume", {}),
    ("stats", {}),
    ("show", {}),
    ("log", {}),
    ("mod_channel", {}),
    ("admin_role", {}),
    ("channels allow", {"channel": "art"}),
    ("channels deny", {"channel": "art"}),
    ("channels remove", {"channel": "art"}),
    ("caps set", {"steps": 5}),
    ("caps clear", {}),
    ("words add", {"words": "spider"}),
    ("words remove", {"words": "spider"}),
    ("words list", {}),
    ("words test", {"prompt": "1girl"}),
    ("adult_tags add", {"words": "spider"}),
    ("gallery channel", {}),
    ("gallery best_of", {"on": True}),
    ("gallery remove", {"number": 1}),
]


async def test_users_that_discord_lets_through_are_checked_again(studio):
    """A server's own settings in Discord can show a command to all users."""
    open_to_all(studio)
    for name, options in EVERY:
        people = {"member": studio.hana, "channel": studio.channel}
        given = {key: people.get(key, value) for key, value in options.items()}
        result = await studio.kenji.slash(studio.channel, f"admin {name}", **given)

        assert result.response.ephemeral
        assert "may manage the server" in result.response.content, name
    assert await studio.service.overview() is not None


def open_to_all(studio):
    command = studio.env.backend.find_command("admin", studio.guild.id, type=1)
    studio.guild.set_command_permissions(int(command["id"]), {studio.guild.default_role: True})


async def test_a_role_can_be_given_the_same_right(studio, admin):
    role = studio.guild.create_role("helpers")
    helper = studio.guild.add_member(studio.env.create_user("helper"), roles=[role])
    open_to_all(studio)
    assert "Integrations" in await admin("admin_role", role=role)

    assert "**Blocked:** no one" in await admin("show", by=helper)
    assert "Only people with Manage Server" in await admin("admin_role", by=helper)
    await admin("admin_role")
    assert "may manage the server" in await admin("show", by=helper)
    assert "That was not set" in await admin("admin_role")
    assert "That would be everybody" in await admin("admin_role", role=studio.guild.default_role)


async def test_a_blocked_user_is_refused_kindly_until_the_block_ends(studio, admin, clock):
    answer = await admin("block", member=studio.hana, duration="2h", reason="too many *cats*")
    assert f"Blocked: {studio.hana.mention} until <t:" in answer

    text = await refusal(studio)
    assert "asked you to take a break from painting until <t:" in text
    assert "Their reason: `too many *cats*`." in text
    await studio.imagine(by=studio.kenji)
    await studio.finish()
    clock.advance(hours=2)
    await studio.imagine()
    await studio.finish()


async def test_a_block_holds_for_buttons_too(studio, admin):
    await studio.imagine(by=studio.kenji)
    message = await studio.finish()
    await admin("block", member=studio.hana)

    result = await studio.hana.click(message, label="Reroll")
    assert "take a break from painting. Their reason: they gave none." in await studio.refused(result)


async def test_unblocking_lets_them_paint_again(studio, admin):
    await admin("block", member=studio.hana)
    assert "may paint again" in await admin("unblock", member=studio.hana)
    assert "is not blocked" in await admin("unblock", member=studio.hana)

    await studio.imagine()
    await studio.finish()


async def test_blocking_cancels_what_is_painted_and_in_line_and_refunds_it(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    boss = make_boss(studio)
    first, second = await studio.imagine("first"), await studio.imagine("second")
    other = await studio.imagine("third", by=studio.kenji)
    await studio.painting()
    await boss.slash(studio.channel, "admin block", member=studio.hana)

    for result in (first, second):
        await studio.says("**Cancelled**, not charged.", result.response.id)
    assert await studio.used(studio.hana) == 0
    await eventually(lambda: list(studio.executor.painting) == [job_of(other.response.message)])
    await studio.finish()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"duration": "soon"}, "'soon' is not a valid duration: write for example 30m"),
        ({"duration": "0d"}, "is not a valid duration"),
    ],
)
async def test_a_block_that_cannot_be_understood_blocks_no_user(studio, admin, options, text):
    assert text in await admin("block", member=studio.hana, **options)

    await studio.imagine()
    await studio.finish()


async def test_no_admin_blocks_themselves_or_who_manages_the_server(studio, admin, boss):
    second = make_boss(studio, "second")

    refused = await admin("block", member=boss)
    assert "You cannot block yourself" in refused
    assert "charged" not in refused, "blocks cost nothing"
    assert "You cannot block yourself" in await admin("block", member=second)


async def test_an_allowed_channel_makes_a_list(studio, admin):
    other = studio.guild.create_text_channel("other")
    assert "nowhere that is not allowed" in await admin("channels allow", channel=other)

    assert await refusal(studio) == (
        f"⚠️ The bot does not answer in this channel. It does in <#{other.id}>. Not charged."
    )
    result = await studio.hana.slash(studio.channel, "queue")
    assert "does not answer in this channel" in result.response.content
    result = await studio.hana.slash(studio.channel, "help")
    assert "/imagine" in result.response.content
    assert await studio.hana.autocomplete(studio.channel, "imagine", "size", "s", prompt="1girl") == []
    assert "There is no rule for" in await admin("channels remove", channel=other)
    await studio.imagine()
    await studio.finish()


async def test_a_denied_category_holds_for_its_channels_and_their_threads(studio, admin):
    category = studio.guild.create_category("quiet")
    inside = studio.guild.create_text_channel("inside", category=category)
    exception = studio.guild.create_text_channel("exception", category=category)
    thread = await in_thread(studio, inside)
    assert "no longer answers in" in await admin("channels deny", channel=category)

    for channel in (inside, thread):
        assert "does not answer in this channel" in await refusal(studio, channel=channel)
    await admin("channels allow", channel=exception)
    assert f"It does in <#{exception.id}>." in await refusal(studio)
    await studio.imagine(channel=exception)
    await studio.painting()


async def in_thread(studio, channel):
    """Return a thread in which Hana may write."""
    thread = await studio.bot.get_channel(channel.id).create_thread(
        name="a thread", type=discord.ChannelType.public_thread
    )
    await studio.env.settle()
    return next(each for each in channel.threads if each.id == thread.id)


async def test_it_paints_in_threads(studio):
    thread = await in_thread(studio, studio.channel)
    result = await studio.imagine(channel=thread)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    assert (await studio.jobs.get(job_id)).reply.channel_id == thread.id
    assert result.response.id == (await studio.jobs.get(job_id)).reply.message_id


async def test_it_paints_in_the_chat_of_a_voice_channel(studio):
    voice = studio.guild.create_voice_channel("voice")
    await studio.imagine(channel=voice)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    assert (await studio.jobs.get(job_id)).reply.channel_id == voice.id


async def test_it_says_kindly_that_it_does_not_paint_in_direct_messages(open_studio):
    studio = await open_studio(discord={"direct_messages": False})
    person = studio.env.create_user("alone")

    result = await person.slash("imagine", prompt="1girl")
    assert "does not paint in direct messages: ask it in a server" in result.response.content
    assert await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED) == []
    assert "/imagine" in (await person.slash("help")).response.content


async def test_caps_refuse_what_is_over_them(studio, admin):
    assert "The caps of the server are now: size 128, steps 10." in await admin("caps set", size=128, steps=10)
    assert "over the cap of 10" in await refusal(studio, steps=11)

    assert "over the cap of 128" in await refusal(studio, size="136x128")
    await admin("caps set", count=1)
    assert "over the cap of 1" in await refusal(studio, count=2)
    await studio.imagine(steps=10)
    assert "There are no caps for the server now." in await admin("caps clear")
    assert "There are no caps for the server" in await admin("caps clear")


async def test_a_role_loosens_the_servers_caps_but_not_the_channels(studio, admin):
    role = studio.guild.create_role("artists")
    artist = studio.guild.add_member(studio.env.create_user("artist"), roles=[role])
    await admin("caps set", steps=10)
    await admin("caps set", role=role, steps=30)

    await studio.imagine(by=artist, steps=30)
    assert "over the cap of 10" in (await studio.imagine(steps=11)).response.content
    await admin("caps set", channel=studio.channel, steps=20)
    assert "over the cap of 20" in (await studio.imagine(by=artist, steps=21)).response.content
    shown = await admin("show")
    assert f"<@&{role.id}>: steps 30" in shown
    assert f"<#{studio.channel.id}>: steps 20" in shown


async def test_the_hires_fix_can_be_switched_off(studio, admin):
    await admin("caps set", hires=0)

    assert "The hires fix is switched off here" in await refusal(studio, hires="on")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Nothing was to be changed"),
        ({"steps": 61}, "The cap of 61 for steps is above this bot's own limit of 60"),
        ({"role": "artists", "channel": "art", "steps": 5}, "a channel or a role, not both"),
    ],
)
async def test_caps_that_make_no_sense_are_refused(studio, admin, options, text):
    there = {"artists": studio.guild.create_role("artists"), "art": studio.channel}
    options = {name: there.get(value, value) for name, value in options.items()}

    assert text in await admin("caps set", **options)


async def test_caps_of_everyone_are_the_servers(studio, admin):
    assert "The caps of the server are now" in await admin("caps set", role=studio.guild.default_role, steps=10)


async def test_words_are_refused_however_they_are_written(studio, admin):
    assert "Added: `spider`, `bad word`" in await admin("words add", words="spider, bad  word,")

    for prompt in ("a SPIDER", "(sp\u00efder:1.2)", "bad_word", "spi(der:1)"):
        assert "which is not allowed in this server: take it out" in await refusal(studio, prompt)
    await studio.imagine("spiderman, badwords", negative="spider")
    await studio.painting()


async def test_words_hold_for_edits_and_infotexts_too(studio, admin):
    await studio.imagine()
    message = await studio.finish()
    await admin("words add", words="spider")

    infotext = "a spider\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 128x128"
    result = await studio.hana.slash(studio.channel, "recreate", infotext=infotext)
    assert "`spider`, which is not allowed" in result.response.content
    form = await studio.hana.click(message, label="Edit")
    values = {label["component"]["custom_id"]: label["component"].get("value") for label in form.modal["components"]}
    known = {name: value for name, value in values.items() if isinstance(value, str)}
    result = await studio.hana.submit_modal(form, {**known, "prompt": "spider"})
    assert "`spider`, which is not allowed" in result.response.content


async def test_word_lists_are_shown_tested_and_shortened(studio, admin):
    assert await admin("words list") == "It is empty."
    await admin("words add", words="spider, clown")

    assert await admin("words list") == "**words** (2):\n`spider`, `clown`"
    assert await admin("words test", prompt="1girl, smile") == "✅ That would be painted here."
    assert "🚫 The prompt has `clown`" in await admin("words test", prompt="clowns, CLOWN")
    assert "adult tag `nsfw`" in await admin("words test", prompt="nsfw")
    everything = (await admin("words test", prompt="clown, spider, nsfw, nude")).splitlines()
    assert ["`clown`, `spider`" in everything[0], "`nsfw`, `nude`" in everything[1], len(everything)] == [True, True, 2]
    assert await admin("words remove", words="CLOWN, cat") == "Removed: `clown`"
    assert "None of that is on the list" in await admin("words remove", words="clown")
    await studio.imagine("clown")
    await studio.painting()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (" , ,", "Give words or tags"),
        ("()", "`()` has no letters or digits"),
        ("a" * 101, "at most 100 characters"),
        ("Sp\u00efder", "on the list already"),
        (",".join(f"w{number}" for number in range(500)), "at most 500 entries, and 1 are there"),
    ],
)
async def test_words_that_cannot_be_on_a_list_are_refused(admin, words, text):
    await admin("words add", words="spider")

    assert text in await admin("words add", words=words)


async def test_a_long_list_comes_as_a_file(studio, boss, admin):
    await admin("words add", words=",".join(f"word{number}" for number in range(400)))
    result = await boss.slash(studio.channel, "admin words list")

    assert "400 entries" in result.response.content
    assert ["words.txt"] == [file.filename for file in result.response.message.attachments]


async def test_adult_tags_are_refused_outside_age_restricted_channels(studio, admin):
    assert "adult tag `nsfw`, and this is not an age-restricted channel" in await refusal(studio, "(nsfw:1.2)")

    await admin("adult_tags add", words="swimsuit")
    assert "adult tag `swimsuit`" in await refusal(studio, "red_swimsuit")
    await admin("adult_tags remove", words="swimsuit")
    await studio.imagine("red_swimsuit")
    await studio.painting()


async def test_a_drain_takes_nothing_new_keeps_what_waits_and_outlives_a_restart(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    boss = make_boss(studio)
    await studio.imagine("first")
    waiting = await studio.imagine("second", by=studio.kenji)
    (first,) = await studio.painting()
    answer = await boss.slash(studio.channel, "admin drain")
    assert answer.response.content.startswith("Drained")

    await studio.says("the bot is taking a break here", waiting.response.id)
    refused = await studio.imagine("third")
    assert "taking a break here and accepts no new pictures" in refused.response.content
    studio.executor.finish(first)
    await studio.status(first, JobStatus.DONE)
    await asyncio.sleep(0.02)
    assert studio.executor.painting == {}
    await studio.bot.close()
    await studio.restart()
    assert [JobStatus.QUEUED] == [job.status for job in await studio.jobs.with_status(JobStatus.QUEUED)]
    assert studio.executor.painting == {}

    answer = await boss.slash(studio.channel, "admin resume")
    assert "at work again" in answer.response.content
    message = await studio.finish()
    assert message.id == waiting.response.id
    assert "It was not drained" in (await boss.slash(studio.channel, "admin resume")).response.content


async def test_only_operators_drain_every_server(studio, admin):
    assert "house.operators" in await admin("drain", everywhere=True)

    await studio.imagine()
    await studio.finish()


async def test_an_operator_drains_every_server(open_studio):
    studio = await open_studio()
    boss = make_boss(studio)
    await studio.bot.close()
    moderation = studio.settings.moderation.model_copy(update={"operators": (boss.id,)})
    studio.settings = studio.settings.model_copy(update={"house": moderation})
    await studio.restart()
    await boss.slash(studio.channel, "admin drain", everywhere=True)

    assert "taking a break" in await refusal(studio)
    assert "stopped everywhere" in (await boss.slash(studio.channel, "admin show")).response.content


async def test_stats_tell_what_was_painted(studio, admin):
    assert "**24 hours:** nothing" in await admin("stats")
    await studio.imagine()
    await studio.finish()
    cancelled = await studio.imagine(by=studio.kenji)
    await studio.kenji.click(cancelled.response, label="Cancel")
    await studio.says("**Cancelled**", cancelled.response.id)
    text = await admin("stats")

    assert "**7 days:** 2 jobs of 2 people, 1 done, 0 failed, 1 cancelled" in text
    assert "MP-steps a second" in text
    assert "**Queue (all servers):** 0 being painted, 0 waiting" in text
    assert "**Painting with:** fake (0000000000) on none" in text
    assert "**Disk:** pictures 0.0 MiB, database" in text


async def test_show_says_everything_that_is_set(studio, admin):
    other = studio.guild.create_text_channel("other")
    role = studio.guild.create_role("helpers")
    await admin("channels deny", channel=other)
    await admin("mod_channel", channel=other)
    await admin("admin_role", role=role)
    await admin("gallery channel", channel=other)
    await admin("gallery best_of", on=True)
    await admin("words add", words="spider")
    await admin("caps set", steps=9)
    await admin("block", member=studio.hana, reason="spam")
    text = await admin("show")

    for part in (
        "**The bot here:** at work",
        f"**Channels:** all, not <#{other.id}>",
        "**Caps of the server:** steps 9",
        "**Word list:** 1 entry",
        f"**Mod channel:** <#{other.id}>",
        f"**Admin role:** <@&{role.id}>",
        f"**Gallery's channel:** <#{other.id}>",
        "**Weekly best-of:** on",
        f"- {studio.hana.mention} until they are unblocked: spam",
    ):
        assert part in text


async def test_a_mod_channel_that_all_users_see_is_warned_about(studio, admin, boss):
    assert "Everybody can see that channel" in await admin("mod_channel", channel=studio.channel)

    closed, seen = discord.PermissionOverwrite(view_channel=False), discord.PermissionOverwrite(view_channel=True)
    hidden = studio.guild.create_text_channel("mods", overwrites={studio.guild.default_role: closed, boss: seen})
    assert "lacks: View Channel" in await admin("mod_channel", channel=hidden)
    assert "are refused at once" in await admin("mod_channel")


async def test_the_log_says_who_did_what(studio, admin, boss):
    await studio.imagine("1girl, **secret**")
    message = await studio.finish()
    await admin("block", member=studio.kenji, duration="1h", reason="spam")
    asked = await studio.more(studio.mod, message, "Delete")
    await studio.mod.click(asked.response, label="Delete for all")
    text = await admin("log")

    first, second, third, prompt = text.splitlines()[0], *text.splitlines()[-3:]
    assert f"{studio.mod.mention} deleted a picture of {studio.hana.mention}" in first
    assert f"{boss.mention} blocked {studio.kenji.mention}: for 1h (spam)" in second
    address = f"https://discord.com/channels/{studio.guild.id}/{studio.channel.id}/{message.id}"
    assert f"{studio.hana.mention} asked for a picture ([done]({address}))" in third
    assert prompt == "> 1girl, \\*\\*secret\\*\\*"
    assert "blocked" not in await admin("log", member=studio.hana)
    assert await admin("log", page=2) == "There is nothing on page 2 of the log."


async def test_the_log_has_what_moderators_do_outside_of_admin(studio, admin, boss):
    await boss.slash(studio.channel, "settings server house", prefix="masterpiece")
    await boss.slash(studio.channel, "settings channel set", steps=7, size="square")
    await boss.slash(studio.channel, "settings channel reset", name="steps")
    await boss.slash(studio.channel, "settings set", steps=9)
    await studio.hana.slash(studio.channel, "prompt save", name="mine", steps=6)
    await studio.hana.slash(studio.channel, "prompt share", name="mine")
    await studio.mod.slash(studio.channel, "prompt delete", name="mine", shared=True)
    await studio.imagine()
    await studio.more(studio.hana, await studio.finish(), "Share")
    await studio.bot.services.gallery.unshare(
        Actor(user_id=studio.mod.id, guild_id=studio.guild.id, manages_messages=True), 1
    )
    log = await admin("log")

    assert f"{boss.mention} changed the server's usual settings: prefix masterpiece" in log
    assert f"{boss.mention} changed a channel's usual settings: size square, steps 7" in log
    assert f"{boss.mention} changed a channel's usual settings: reset steps" in log
    assert "steps 9" not in log
    assert f"{studio.mod.mention} deleted a preset of {studio.hana.mention}: “mine”" in log
    assert f"{studio.mod.mention} took a picture out of the gallery of {studio.hana.mention}: \\#1" in log


async def test_a_picture_is_taken_out_of_the_gallery(studio, admin):
    await studio.imagine()
    message = await studio.finish()
    await studio.more(studio.hana, message, "Share")

    assert f"The picture of {studio.hana.mention} is no longer in the gallery" in await admin(
        "gallery remove", number=1
    )
    assert "charged" not in await admin("gallery remove", number=1)
    assert "took a picture out of the gallery of" in await admin("log")


async def test_what_is_too_old_leaves_the_log_by_itself(studio, admin, clock):
    await admin("words add", words="spider")
    clock.advance(days=89)
    await studio.bot.do_chores()
    assert "changed the word list: add spider" in await admin("log")

    clock.advance(days=2)
    await studio.bot.do_chores()
    assert await admin("log") == "There is nothing in the log."
