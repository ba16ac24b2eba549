"""Painting what an infotext says."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

INFOTEXT = (
    "1girl, ((red hair))\nNegative prompt: lowres\n"
    "Steps: 12, Sampler: Euler a, Schedule type: Automatic, CFG scale: 6, Seed: 77, Size: 128x192, "
    "Model hash: 7edc8e08, Model: pastelmix-fp32, Clip skip: 2, ENSD: 31337"
)


def png(infotext):
    info = PngInfo()
    if infotext is not None:
        info.add_text("parameters", infotext)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


@pytest.fixture
def recreate(studio):
    async def recreate(**options):
        return await studio.hana.slash(studio.channel, "recreate", **options)

    return recreate


async def painted_request(studio):
    (job_id,) = await studio.painting()
    return (await studio.jobs.get(job_id)).request


async def test_a_pasted_infotext_is_painted_with_its_settings(studio, recreate):
    await recreate(infotext=INFOTEXT)

    request = await painted_request(studio)
    assert ("1girl, ((red hair))", "lowres", 12, "Euler a", 6, 77, 128, 192) == (
        request.prompt,
        request.negative_prompt,
        request.steps,
        request.sampler,
        request.cfg_scale,
        request.seed,
        request.width,
        request.height,
    )


async def test_what_will_differ_is_told_privately(recreate):
    result = await recreate(infotext=f"{INFOTEXT}, Something: abc")

    (note,) = result.followups
    assert note.ephemeral
    assert "painted with pastelmix-fp32 (7edc8e08); here fake (0000000000)" in note.content
    assert "Something" in note.content


async def test_a_picture_of_our_own_checkpoint_needs_no_note(recreate):
    result = await recreate(infotext=INFOTEXT.replace("7edc8e08", "0000000000"))

    assert [] == result.followups


async def test_an_attached_picture_says_it_too(studio, recreate):
    await recreate(picture=("mine.png", png(INFOTEXT)))

    assert 77 == (await painted_request(studio)).seed


async def test_the_menu_of_a_message_recreates_its_picture(studio):
    await studio.imagine("1girl", seed=5)
    message = await studio.finish()
    result = await studio.kenji.context_menu(studio.channel, "Recreate", message)

    assert "says nothing about how it was made" in result.response.content  # the fake worker's pictures


async def test_the_menu_reads_a_messages_text(studio):
    message = await studio.kenji.send(studio.channel, INFOTEXT)
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert 77 == (await painted_request(studio)).seed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing to recreate"),
        ({"infotext": "just a prompt"}, "no infotext"),
        ({"infotext": INFOTEXT.replace("128x192", "4096x4096")}, "cap of 1280"),
        ({"infotext": INFOTEXT.replace("Steps: 12", "Steps: 900")}, "cap of 60"),
        ({"picture": ("a.png", png(None))}, "says nothing"),
        ({"picture": ("a.txt", b"hello")}, "no picture"),
    ],
)
async def test_what_cannot_be_recreated_is_refused(studio, recreate, options, words):
    text = await studio.refused(await recreate(**options))

    assert words in text
    assert text.endswith("Not charged.")
