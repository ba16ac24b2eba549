"""Apps > Remix: start from a picture that is here already."""

import pytest
from helpers.infotexts import INFOTEXT, png_with
from helpers.studio import fields
from helpers.support import png


async def request_of(studio):
    (job_id,) = await studio.painting()
    return await studio.jobs.get(job_id)


async def test_it_paints_over_a_result_and_remembers_it(studio):
    await studio.imagine("1girl", negative="lowres", seed=7, spoiler=True)
    message = await studio.finish()
    form = await studio.kenji.context_menu(studio.channel, "Remix", message)
    assert {"prompt": "1girl", "negative": "lowres", "strength": "0.6"} == {
        name: text for name, text in fields(form.modal).items() if text
    }
    answers = {"prompt": "1girl, blue hair --steps 9", "negative": "", "strength": "0,4", "seed": "5"}
    await studio.kenji.submit_modal(form, answers)
    job = await request_of(studio)

    assert ("1girl, blue hair", "", 9, 5, 0.4) == (
        job.request.prompt,
        job.request.negative_prompt,
        job.request.steps,
        job.request.seed,
        job.request.init.denoising_strength,
    )
    assert (studio.kenji.id, True) == (job.user_id, job.options.spoiler)
    assert (await studio.jobs.by_message(message.id)).id == job.options.origin


async def test_a_foreign_picture_says_its_prompt(studio):
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", png_with(INFOTEXT))])
    form = await studio.hana.context_menu(studio.channel, "Remix", message)

    assert ("1girl, ((red hair))", "lowres") == (fields(form.modal)["prompt"], fields(form.modal)["negative"])


async def test_a_picture_that_says_nothing_gets_the_usual_negative_prompt(studio):
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", png(size=(64, 128)))])
    form = await studio.hana.context_menu(studio.channel, "Remix", message)
    await studio.hana.submit_modal(form, {"prompt": "1girl", "negative": "", "strength": "1", "seed": ""})
    job = await request_of(studio)

    assert studio.settings.defaults.negative_prompt == job.request.negative_prompt
    assert (64, 128) == (job.request.width, job.request.height)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"strength": "lots"}, "'lots' is not a valid strength: type a number from 0 to 1"),
        ({"strength": "1.5"}, "is not a valid strength"),
        ({"seed": "x"}, "is not a seed"),
        ({"prompt": "1girl --sed 4"}, "There is no flag --sed"),
    ],
)
async def test_what_cannot_be_read_is_refused(studio, typed, words):
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", png(size=(64, 64)))])
    form = await studio.hana.context_menu(studio.channel, "Remix", message)
    answers = {"prompt": "1girl", "negative": "", "strength": "0.6", "seed": ""} | typed
    text = await studio.refused(await studio.hana.submit_modal(form, answers))

    assert words in text
    assert text.endswith("Not charged.")


async def test_a_message_without_a_picture(studio):
    message = await studio.kenji.send(studio.channel, "just words")
    text = await studio.refused(await studio.hana.context_menu(studio.channel, "Remix", message))

    assert "There is no picture in this message" in text


async def test_a_file_that_is_no_picture(studio):
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", b"hello")])
    form = await studio.hana.context_menu(studio.channel, "Remix", message)
    answers = {"prompt": "1girl", "negative": "", "strength": "0.6", "seed": ""}
    text = await studio.refused(await studio.hana.submit_modal(form, answers))

    assert "cannot be read" in text
