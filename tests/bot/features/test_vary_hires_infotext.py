"""The buttons that make something of one picture."""

import pytest
from discord import Permissions
from helpers.studio import labels, rows

from pastelbot.records import GenerationRequest


@pytest.fixture
async def newest_request(studio):
    async def newest_request():
        (job_id,) = await studio.painting()
        return (await studio.jobs.get(job_id)).request

    return newest_request


async def test_vary_asks_how_far_and_mixes_another_seed_in(studio, newest_request):
    await studio.imagine(seed=7)
    message = await studio.finish()
    asked = await studio.hana.click(message, label="Vary")
    assert asked.response.ephemeral
    await studio.hana.click(asked.response, label="Strong")

    request = await newest_request()
    assert (7, 1, 0.3) == (request.seed, request.count, request.subseed_strength)
    varied = await studio.finish()
    assert f" · variation 0.3 of seed {request.subseed}" in varied.content
    assert " · variation" not in message.content


async def test_with_several_pictures_vary_asks_which_one(studio, newest_request):
    await studio.imagine(seed=7, count=3)
    message = await studio.finish()
    asked = await studio.kenji.click(message, label="Vary")
    await studio.kenji.click(asked.response, label="Subtle 3")

    request = await newest_request()
    assert (9, 1, 0.1) == (request.seed, request.count, request.subseed_strength)


async def test_hires_paints_the_same_picture_with_a_second_pass(studio, newest_request):
    await studio.imagine(seed=7, hires="off")
    message = await studio.finish()
    assert "Hires" in labels(message)
    asked = await studio.hana.click(message, label="Hires")
    await studio.hana.click(asked.response, label="Creative")

    request = await newest_request()
    assert (7, 256, 256) == (request.seed, request.hires.width, request.hires.height)
    assert request.hires.denoising_strength == 0.6


async def test_a_faithful_hires_pass_keeps_more_of_the_picture(studio, newest_request):
    await studio.imagine(seed=7, hires="off")
    asked = await studio.hana.click(await studio.finish(), label="Hires")
    await studio.hana.click(asked.response, label="Faithful")

    request = await newest_request()
    assert (7, 0.35) == (request.seed, request.hires.denoising_strength)


async def test_with_several_pictures_hires_asks_which_one(studio, newest_request):
    await studio.imagine(seed=7, hires="off", count=2)
    message = await studio.finish()
    asked = await studio.hana.click(message, label="Hires")
    await studio.hana.click(asked.response, label="Faithful 2")

    request = await newest_request()
    assert (8, 1) == (request.seed, request.count)
    assert request.hires is not None


async def test_a_hires_pass_over_the_caps_comes_down_to_them(studio, newest_request):
    """Its size and steps were not typed."""
    role = studio.guild.create_role("admins", permissions=Permissions(manage_guild=True))
    admin = studio.guild.add_member(studio.env.create_user("admin"), roles=[role])
    await studio.imagine(size="128x192", steps=10, hires="off")
    message = await studio.finish()
    await admin.slash(studio.channel, "admin caps set", steps=12, hires=256)
    asked = await studio.hana.click(message, label="Hires")
    await studio.hana.click(asked.response, label="Creative")
    fix = (await newest_request()).hires

    assert (12, 256) == (fix.steps, max(fix.width, fix.height))


async def test_a_large_picture_has_no_hires_button(studio):
    await studio.imagine()

    assert "Hires" not in labels(await studio.finish())


async def test_the_questions_work_after_a_restart(studio, newest_request):
    await studio.imagine(seed=7)
    message = await studio.finish()
    asked = await studio.hana.click(message, label="Vary")
    await studio.bot.close()
    await studio.restart()
    await studio.hana.click(asked.response, label="Subtle")

    assert 0.1 == (await newest_request()).subseed_strength


async def test_infotext_is_shown_to_who_asks(studio):
    await studio.imagine("1girl, red hair", seed=7)
    message = await studio.finish()
    shown = await studio.more(studio.kenji, message, "Infotext")

    assert shown.response.ephemeral
    assert "```\n1girl, red hair\nSeed: 7\n```" == shown.response.content


@pytest.mark.parametrize("prompt", ["1girl, " * 400, "1girl, ```red hair```"], ids=["long", "with a block's end"])
async def test_an_infotext_that_fits_no_block_comes_as_a_file(studio, prompt):
    await studio.imagine(prompt)
    message = await studio.finish()
    shown = await studio.more(studio.hana, message, "Infotext")

    assert shown.response.ephemeral
    assert [".txt"] == [file.filename[-4:] for file in shown.response.attachments]


def test_one_picture_of_several_is_the_same_alone():
    several = GenerationRequest(prompt="1girl", seed=7, count=3)
    varied = several.replace(subseed=20, subseed_strength=0.1)

    assert several.replace(seed=9, count=1) == several.alone(2)
    assert varied.replace(subseed=22, count=1) == varied.alone(2)


async def test_a_question_closes_when_it_is_answered(studio):
    await studio.imagine(seed=7, count=4)
    message = await studio.finish()
    asked = await studio.hana.click(message, label="Vary")
    assert [[button.label for button in row] for row in rows(asked.response)] == [
        [f"{name} {number}" for number in (1, 2, 3, 4)] for name in ("Subtle", "Strong")
    ]

    await studio.hana.click(asked.response, label="Strong 2")
    assert asked.response is None
    assert "variation 0.3" in (await studio.finish()).content


async def test_a_question_that_leads_to_a_refusal_stays(studio):
    await studio.imagine(seed=7)
    asked = await studio.hana.click(await studio.finish(), label="Vary")
    for _ in range(studio.settings.limits.waiting_per_user):
        await studio.imagine(seed=8)
    refused = await studio.hana.click(asked.response, label="Subtle")

    assert "jobs queued, which is the limit" in refused.followups[-1].content
    assert asked.response is not None


@pytest.mark.parametrize("options", [{}, {"hires": "off"}, {"count": 4}])
async def test_the_buttons_under_a_picture_fit_a_phone(studio, options):
    """Four without emoji are as wide as a phone of 390 pixels shows in one row."""
    await studio.imagine(**options)
    (row,) = (await studio.finish()).components

    assert len(row.children) == 4
    assert all(button.emoji is None for button in row.children)
    assert sum(len(button.label) for button in row.children) <= 19


async def test_more_has_what_the_person_may_do(studio):
    await studio.imagine(seed=7)
    message = await studio.finish()

    def of(person):
        return person.click(message, label="More")

    assert ["Seed", "Infotext", "Share", "Delete"] == labels((await of(studio.hana)).response)
    assert ["Seed", "Infotext"] == labels((await of(studio.kenji)).response)
    assert ["Seed", "Infotext", "Delete"] == labels((await of(studio.mod)).response)
