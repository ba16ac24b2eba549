"""Every button that the bot, or an earlier version of it, ever put under a message still does what it says.

`data/custom_ids.json` has one of each. Forms are not among them: an open form is gone with the process that opened it.
"""

import json
from pathlib import Path

import discord
import pytest
from discord import Permissions
from helpers.support import eventually, png

from pastelbot.records import JobStatus, Painted, Picture

OUT_THERE = {
    each["name"]: each["custom_id"]
    for each in json.loads((Path(__file__).parent / "data" / "custom_ids.json").read_text(encoding="utf-8"))
}
JOB, PLAN, ENTRY, PERSON = "0123456789ab", "fedcba987654", ":1", "1180000000000000201"


def old_message(content, custom_id):
    """Return what a message with that button is made of; without a content it is one of those without, in blocks."""
    button = discord.ui.Button(label="Press", custom_id=custom_id)
    view = discord.ui.View(timeout=None) if content else discord.ui.LayoutView(timeout=None)
    view.add_item(button if content else discord.ui.ActionRow(button))
    view.stop()  # as after a restart: the library knows nothing of it
    return {"content": content, "view": view} if content else {"view": view}


class OldButtons:
    """Presses buttons that were sent by an earlier process."""

    def __init__(self, studio):
        self.studio = studio

    async def press(self, name, *, by=None, content="an old message", **ids):
        """Press the recorded button, with other ids in it, under a message that the bot has forgotten."""
        custom_id = OUT_THERE[name]
        for recorded, real in ((JOB, "job"), (PLAN, "plan"), (PERSON, "person")):
            custom_id = custom_id.replace(recorded, str(ids.get(real, recorded)))
        message = await self.studio.bot.get_channel(self.studio.channel.id).send(**old_message(content, custom_id))
        return await (by or self.studio.hana).click(self.studio.message(message.id), custom_id=custom_id)

    async def paint(self, **options):
        """Paint a picture, or two; return the job's id."""
        await self.studio.imagine("1girl, red hair", seed=7, hires="off", **options)
        job_id = (await self.studio.painting())[-1]
        await self.studio.finish()
        return job_id

    async def next_request(self):
        """Return what is painted now, and let it be finished."""
        (job_id,) = await self.studio.painting()
        request = self.studio.executor.painting[job_id]
        await self.studio.finish()
        return request


@pytest.fixture
def old_buttons(studio):
    return OldButtons(studio)


def names_of(modal):
    return [label["component"]["custom_id"] for label in modal["components"]]


def buttons_of(message):
    return [button["custom_id"] for row in message.components for button in row["components"]]


@pytest.fixture
def registered(monkeypatch):
    """The kinds of buttons that the bot registers when it starts."""
    kinds = []
    plain = discord.Client.add_dynamic_items

    def add_dynamic_items(client, *items):
        kinds.extend(items)
        plain(client, *items)

    monkeypatch.setattr(discord.Client, "add_dynamic_items", add_dynamic_items)
    return kinds


async def test_every_button_is_of_exactly_one_kind(registered, open_studio):
    await open_studio()
    templates = [kind.__discord_ui_compiled_template__ for kind in registered]

    for name, custom_id in OUT_THERE.items():
        assert len(custom_id) <= 100
        matching = [template.pattern for template in templates if template.fullmatch(custom_id)]
        assert len(matching) == 1, f"{name}: {custom_id} is of the kinds {matching}"
    for template in templates:
        assert any(template.fullmatch(custom_id) for custom_id in OUT_THERE.values()), f"{template} is not recorded"


async def test_what_buttons_send_today_is_recorded(registered, open_studio):
    """Each button that was found again by its recorded custom id has one that is recorded as well."""
    await open_studio()
    press = discord.ui.Button(label="Press")

    for name, custom_id in OUT_THERE.items():
        matches = [(kind, kind.__discord_ui_compiled_template__.fullmatch(custom_id)) for kind in registered]
        ((kind, match),) = [(kind, match) for kind, match in matches if match]
        today = (await kind.from_custom_id(None, press, match)).custom_id
        assert today in OUT_THERE.values(), f"{name}: {custom_id} is sent as {today} today, which is not recorded"


async def test_a_button_of_another_version_says_so(old_buttons):
    channel, custom_id = old_buttons.studio.bot.get_channel(old_buttons.studio.channel.id), f"pb:sparkle:{JOB}"
    message = await channel.send(**old_message("a message of a newer bot", custom_id))
    result = await old_buttons.studio.hana.click(old_buttons.studio.message(message.id), custom_id=custom_id)

    assert "another version of the bot" in result.response.content


async def test_what_paints_again(old_buttons):
    one, two = await old_buttons.paint(), await old_buttons.paint(count=2)

    await old_buttons.press("reroll", job=one)
    assert (await old_buttons.next_request()).seed != 7
    for name, job, seed, strength in (
        ("subtle", one, 7, 0.1),
        ("subtle of one", two, 8, 0.1),
        ("strong", one, 7, 0.3),
        ("strong of one", two, 8, 0.3),
    ):
        await old_buttons.press(name, job=job)
        request = await old_buttons.next_request()
        assert (request.seed, request.count, request.subseed_strength) == (seed, 1, strength)
    for name, job, seed, strength in (
        ("hires of one", two, 8, 0.6),
        ("creative", one, 7, 0.6),
        ("creative of one", two, 8, 0.6),
        ("faithful", one, 7, 0.35),
        ("faithful of one", two, 8, 0.35),
    ):
        await old_buttons.press(name, job=job)
        request = await old_buttons.next_request()
        assert (request.seed, request.count, request.hires.denoising_strength) == (seed, 1, strength)


async def test_what_asks_and_shows(old_buttons):
    one, two = await old_buttons.paint(), await old_buttons.paint(count=2)

    assert names_of((await old_buttons.press("seed", job=one)).modal) == ["seed"]
    assert names_of((await old_buttons.press("edit", job=one)).modal) == [
        "prompt",
        "negative",
        "seed",
        "sampler",
        "hires",
    ]
    asked = (await old_buttons.press("vary", job=two)).response
    assert buttons_of(asked) == [f"pb:{verb}:{two}:{number}" for verb in ("subtle", "strong") for number in (1, 2)]
    asked = (await old_buttons.press("hires", job=one)).response
    assert buttons_of(asked) == [f"pb:{way}:{one}" for way in ("faithful", "creative")]
    asked = (await old_buttons.press("hires", job=two)).response
    assert buttons_of(asked) == [f"pb:{way}:{two}:{number}" for way in ("faithful", "creative") for number in (1, 2)]
    asked = (await old_buttons.press("share", job=two)).response
    assert buttons_of(asked) == [f"pb:share:{two}:1", f"pb:share:{two}:2"]
    more = (await old_buttons.press("more", job=one)).response
    assert buttons_of(more) == [f"pb:{verb}:{one}" for verb in ("vary", "seed", "infotext", "share", "delete")]
    assert "Seed: 7" in (await old_buttons.press("infotext", job=one)).response.content
    assert "type it again" in (await old_buttons.press("edit typed")).response.content
    form = await old_buttons.press("paint tags", content="```\n1girl, long hair\n```")
    assert form.modal["components"][0]["component"]["value"] == "1girl, long hair"


async def test_what_ends_jobs(old_buttons, studio):
    done = await old_buttons.paint()
    await studio.imagine("1girl")
    (waiting,) = await studio.painting()

    await old_buttons.press("cancel", job=waiting)
    await studio.status(waiting, JobStatus.CANCELLED)
    await old_buttons.press("delete", job=done)
    assert await studio.jobs.pictures(done) == []


async def test_deletion_after_a_question(old_buttons, studio):
    job = await old_buttons.paint()
    await old_buttons.press("share", job=job)

    asked = await old_buttons.press("delete", job=job)
    assert "in the gallery" in asked.response.content
    assert buttons_of(asked.response) == [f"pb:remove:{job}"]
    assert len(await studio.jobs.pictures(job)) == 1
    await old_buttons.press("remove", job=job)
    assert await studio.jobs.pictures(job) == []


@pytest.mark.parametrize(
    ("answer", "jobs"), [("plan yes", 3), ("plan yes early", 3), ("plan no", 0), ("plan no early", 0)]
)
async def test_plans(old_buttons, studio, answer, jobs):
    asked = await studio.imagine("{red,blue,green} hair")
    await old_buttons.press(answer, plan=buttons_of(asked.response)[0].rpartition(":")[2])

    assert len(await studio.jobs.with_status(*JobStatus)) == jobs
    if jobs:
        await studio.painting(3)


async def test_the_gallery(old_buttons, studio):
    job = await old_buttons.paint(count=2)
    await old_buttons.press("share one", job=job)  # the gallery's first entry
    asked = (await old_buttons.press("unshare job", job=job)).response
    assert buttons_of(asked) == [f"pb:share:{job}:1", f"pb:unshare:{job}:2"]

    voted = await old_buttons.press("vote", by=studio.kenji, content=None)
    assert not voted.followups
    assert "Seed: 8" in (await old_buttons.press("shared infotext", by=studio.kenji, content=None)).response.content
    assert names_of((await old_buttons.press("use", by=studio.kenji, content=None)).modal)[0] == "prompt"
    for name, words in (
        ("next", "newest"),
        ("previous", "newest"),
        ("here", "newest"),
        ("week", "top of the week"),
        ("top", "top of all time"),
        ("mine", "mine"),
        ("searched", "Words: a long: text"),
        ("early", "Tag: red hair"),
    ):
        page = await old_buttons.press(f"gallery {name}", content=None)
        assert words in page.response.components[0]["content"]
    for name, content in (("unshare", None), ("unshare one", "an old message")):
        await old_buttons.press("share one", job=job)
        gone = await old_buttons.press(name, job=job, content=content)
        assert "no longer in the gallery" in gone.response.content


@pytest.mark.parametrize(("answer", "said"), [("forget no", "Nothing was deleted."), ("forget yes", "deleted")])
async def test_forgetting(old_buttons, studio, answer, said):
    job = await old_buttons.paint()
    result = await old_buttons.press(answer, person=studio.hana.id)

    assert said in result.response.content
    assert (await studio.jobs.get(job) is None) == (answer == "forget yes")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("approve", JobStatus.DONE),
        ("approve early", JobStatus.DONE),
        ("reject", JobStatus.FAILED),
        ("reject early", JobStatus.FAILED),
    ],
)
async def test_reviews(old_buttons, studio, answer, status):
    role = studio.guild.create_role("bosses", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    mods = studio.guild.create_text_channel("mods")
    await boss.slash(studio.channel, "admin mod_channel", channel=mods)
    await studio.imagine("1girl", seed=7)
    (job,) = await studio.painting()
    studio.executor.painting.pop(job)
    picture = Picture(png=png(), seed=7, width=8, height=4, infotext="1girl", rating="explicit")
    studio.executor.emit(Painted(job_id=job, pictures=(picture,), seconds=0.1))
    await eventually(lambda: mods.last_message)

    await old_buttons.press(answer, job=job, by=studio.mod)
    await studio.status(job, status)


async def test_pages_of_tags(old_buttons):
    following = (await old_buttons.press("tags next")).response
    first = (await old_buttons.press("tags previous")).response

    assert "tags for hair, page 2 of" in following.content
    assert "of the kind character" in first.content
