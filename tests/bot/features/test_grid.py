"""/grid: asked about first, painted as one job, with the buttons that fit."""

import pytest
from helpers.studio import labels

from pastelbot.records import Axis, Grid


async def ask(studio, prompt="mksks style, 1girl", *, by=None, **options):
    options = {"x": "cfg", "x_values": "5,7,9"} | options
    return await (by or studio.hana).slash(studio.channel, "grid", prompt=prompt, **options)


async def test_a_grid_is_painted_after_its_cost_was_confirmed(studio):
    asked = await ask(studio, y="prompt", y_values='"mksks style, ",""', size="square", seed=7, steps=10)

    assert asked.response.ephemeral
    assert "**1 job** with 6 pictures" in asked.response.content
    assert "and costs 0.6 usual pictures" in asked.response.content
    assert not studio.executor.painting
    await studio.hana.click(asked.response, label="Paint")
    (request,) = [studio.executor.painting[job_id] for job_id in await studio.painting()]
    assert request.grid == Grid(
        x=Axis(kind="cfg", values=("5", "7", "9")), y=Axis(kind="prompt", values=("mksks style, ", ""))
    )
    assert (request.seed, request.count, request.hires) == (7, 1, None)


async def test_its_message_has_no_buttons_for_a_single_picture(studio):
    asked = await ask(studio, seed=7)
    await studio.hana.click(asked.response, label="Paint")
    message = await studio.finish()

    assert "grid 3x1 · columns: " in message.content
    more = (await studio.hana.click(message, label="More")).response
    assert ["Reroll", "Edit", "More"] == labels(message)
    assert ["Seed", "Infotext", "Share", "Delete"] == labels(more)


async def test_reroll_paints_the_grid_with_another_seed(studio):
    asked = await ask(studio, seed=7)
    await studio.hana.click(asked.response, label="Paint")
    message = await studio.finish()
    await studio.hana.click(message, label="Reroll")
    (job_id,) = await studio.painting()
    request = studio.executor.painting[job_id]

    assert request.grid.x.values == ("5", "7", "9")
    assert request.seed != 7


async def test_a_declined_grid_costs_nothing(studio):
    asked = await ask(studio)
    await studio.hana.click(asked.response, label="Cancel")

    assert await studio.charged() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"x_values": "a"}, "'a' is neither a number"),
        ({"x_values": "5,500"}, "over the cap of 30"),
        ({"x": "steps", "x_values": "1-30"}, "The grid has 30 pictures; the cap is 25"),
        ({"y": "seed"}, "both y and y\\_values"),
        ({"y": "cfg", "y_values": "1"}, "Both axes change cfg"),
        ({"x": "denoise", "x_values": "0.5"}, "needs the hires fix"),
        ({"x": "vae", "x_values": "nice"}, "There is no VAE 'nice'"),
        ({"x": "prompt", "x_values": "cat,dog"}, "no 'cat' to replace"),
        ({"x": "prompt", "x_values": '"mksks style, 1girl",""'}, "The prompt is empty"),
        ({"prompt": "{red,blue} hair"}, "would make several grids"),
    ],
)
async def test_what_cannot_be_painted_is_refused(studio, options, words):
    refusal = await studio.refused(await ask(studio, **options))

    assert words in refusal
    assert refusal.endswith("Not charged.")
