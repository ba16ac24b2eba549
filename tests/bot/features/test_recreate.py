"""Painting what an infotext says."""

import io
import json
from pathlib import Path

import pytest
from helpers.infotexts import INFOTEXT, png_with
from PIL import Image

from pastelbot.infotext import read_request

CARD = json.loads((Path(__file__).parents[2] / "prompt" / "card.json").read_text(encoding="utf-8"))

CARD_SIZES = {"portrait": {"first": "448x640", "hires": "960x1280"}}


@pytest.fixture
def recreate(studio):
    async def recreate(**options):
        return await studio.hana.slash(studio.channel, "recreate", **options)

    return recreate


async def painted_request(studio):
    (job_id,) = await studio.painting()
    return (await studio.jobs.get(job_id)).request


@pytest.mark.parametrize("pasted", [INFOTEXT, INFOTEXT.replace("\n", " ")], ids=["as it is", "in one line"])
async def test_a_pasted_infotext_is_painted_with_its_settings(studio, recreate, pasted):
    """Where Discord's field has one line, it makes spaces of line breaks."""
    await recreate(infotext=pasted)

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


@pytest.mark.parametrize(
    ("size", "painted"), [("131x199", (128, 192)), ("16x16", (64, 64)), ("100x190", (96, 184)), ("1x130", (64, 128))]
)
async def test_a_size_that_cannot_be_painted_is_replaced_and_said(studio, recreate, size, painted):
    answer = await recreate(infotext=INFOTEXT.replace("128x192", size))

    request = await painted_request(studio)
    assert painted == (request.width, request.height)
    said = [str(each.content) for each in answer.followups]
    assert any(f"The size {size} cannot be painted; {painted[0]}x{painted[1]} is taken." in each for each in said)


FENCED = f"```\n{INFOTEXT}\n```"
INLINE = f"look: `{INFOTEXT}`".replace("\n", " ")


@pytest.mark.parametrize("pasted", [FENCED, FENCED.replace("\n", " "), INLINE, f"> {FENCED}"])
async def test_what_the_infotext_button_shows_goes_back_in(studio, recreate, pasted):
    await recreate(infotext=pasted)
    typed = await painted_request(studio)
    message = await studio.kenji.send(studio.channel, pasted)
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert ("1girl, ((red hair))", 77, 128) == (typed.prompt, typed.seed, typed.width)
    assert [typed, typed] == [(await studio.jobs.get(job)).request for job in await studio.painting(2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_text_file_says_it_too(studio, recreate, encoding):
    content = INFOTEXT.encode(encoding)
    await recreate(picture=("infotext-ab12cd.txt", content))
    assert 77 == (await painted_request(studio)).seed
    message = await studio.kenji.send(studio.channel, "look", attachments=[("infotext-ab12cd.txt", content)])
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert 2 == len(await studio.painting(2))


async def test_where_a_picture_says_nothing_the_messages_text_counts(studio):
    message = await studio.kenji.send(studio.channel, FENCED, attachments=[("a.png", png_with(None))])
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert 77 == (await painted_request(studio)).seed


async def test_a_text_file_that_is_not_an_infotext_is_refused(recreate):
    result = await recreate(picture=("notes.txt", b"red hair"))

    assert "is not a readable picture" in result.response.content


async def test_an_infotext_pasted_as_a_prompt_is_noticed(studio):
    result = await studio.hana.slash(studio.channel, "imagine", prompt=INFOTEXT.replace("\n", " "))

    assert "This is an infotext, not a prompt" in result.response.content
    assert "/recreate" in result.response.content


async def test_what_will_differ_is_noted_privately(recreate):
    result = await recreate(infotext=f"{INFOTEXT}, Something: abc")

    (note,) = result.followups
    assert note.ephemeral
    assert "painted with pastelmix-fp32 (7edc8e08); here fake (0000000000)" in note.content
    assert "Something" in note.content


async def test_a_picture_of_our_own_checkpoint_needs_no_note(recreate):
    result = await recreate(infotext=INFOTEXT.replace("7edc8e08", "0000000000"))

    assert [] == result.followups


async def test_an_attached_picture_says_it_too(studio, recreate):
    await recreate(picture=("mine.png", png_with(INFOTEXT)))

    assert 77 == (await painted_request(studio)).seed


async def test_the_menu_of_a_message_recreates_its_picture(studio):
    await studio.imagine("1girl", seed=5)
    message = await studio.finish()
    result = await studio.kenji.context_menu(studio.channel, "Recreate", message)

    assert "has no infotext" in result.response.content  # the fake worker's pictures


async def test_the_menu_reads_a_messages_text(studio):
    message = await studio.kenji.send(studio.channel, INFOTEXT)
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert 77 == (await painted_request(studio)).seed


@pytest.mark.parametrize(
    ("written", "note", "painted"),
    [
        ("Hires upscale: 1.5, Hires upscaler: 4x-UltraSharp", "4x-UltraSharp is not here; Lanczos is taken", "Lanczos"),
        ("Hires upscale: 1.5, Hires sampler: Magic", "The hires sampler 'Magic' is unknown", "DPM++ 2M"),
        ("Hires upscale: 1.5, Hires schedule type: Magic", "The hires schedule 'Magic' is unknown", None),
        ("Schedule type: Magic", "The schedule 'Magic' is unknown; Automatic is taken", None),
        ("Sampler: Magic", "The sampler 'Magic' is unknown; DPM++ 2M is taken", "DPM++ 2M"),
        ("Emphasis: Magic", "The emphasis 'Magic' is unknown; Original is taken", "Original"),
        ('Hires upscale: 2, Hires prompt: "a <lora:gone:1>, b"', "The LoRA gone is not here: it is left out", "a , b"),
    ],
)
async def test_what_is_not_here_is_replaced_noted_and_painted(studio, recreate, written, note, painted):
    text = INFOTEXT.replace("7edc8e08", "0000000000")
    name = written.partition(":")[0]
    kept = ", ".join(field for field in text.split(", ") if not field.startswith(f"{name}:"))
    result = await recreate(infotext=f"{kept}, {written}")
    request = await painted_request(studio)

    assert note in result.followups[0].content
    fix = request.hires
    parts = (request.sampler, request.emphasis, *((fix.upscaler, fix.sampler, fix.prompt) if fix is not None else ()))
    assert painted is None or painted in parts


@pytest.mark.parametrize("text", CARD)
async def test_the_cards_six_pictures_are_recreated(open_studio, text):
    studio = await open_studio(sizes=CARD_SIZES, defaults={"size": "portrait"})
    result = await studio.hana.slash(studio.channel, "recreate", infotext=text)
    request = await painted_request(studio)
    message = await studio.finish()

    read = read_request(text)
    assert read.request == (request.replace(seed=0) if "Seed" in read.missing else request)
    assert ("a random one was drawn" in result.followups[0].content) == ("Seed" in read.missing)
    assert "pastelmix-fp32 (7edc8e08); here fake (0000000000) paints" in result.followups[0].content
    size = "448x640 → 960x1280" if request.width == 448 else "640x448 → 1280x960"
    assert f"{size} · DPM++ 2M Karras · 20+20 steps · CFG 7 · clip skip 2" in message.content
    assert len(message.attachments) == 1


async def test_a_picture_made_from_a_hidden_one_is_hidden(studio, recreate):
    await recreate(picture=("SPOILER_mine.png", png_with(INFOTEXT)))
    assert (await studio.finish()).attachments[0].filename.startswith("SPOILER_")
    message = await studio.kenji.send(studio.channel, "look", attachments=[("SPOILER_a.png", png_with(INFOTEXT))])
    await studio.hana.context_menu(studio.channel, "Recreate", message)

    assert (await studio.finish()).attachments[0].filename.startswith("SPOILER_")


async def test_the_usual_settings_say_whether_it_is_hidden(studio, recreate):
    await studio.hana.slash(studio.channel, "settings set", spoiler=True)
    await recreate(infotext=INFOTEXT)

    assert (await studio.finish()).attachments[0].filename.startswith("SPOILER_")


@pytest.mark.parametrize(
    "field",
    [
        "Seed resize from: 999999999x999999999",
        "Variation seed: 5, Variation seed strength: 55",
        "Hires upscale: 0, Hires upscaler: Latent",
        "Hires upscale: -3, Hires upscaler: Latent",
        "Hires resize: 2048x8",
        'Hires upscale: 2, Hires prompt: "half a sign \\ud83d, here"',
    ],
)
async def test_no_infotext_harms_the_line(studio, recreate, field):
    """What no worker could paint, or no reader could read again, is refused; the next one is painted."""
    assert (
        await studio.refused(await recreate(infotext=f"{INFOTEXT.replace(', ENSD: 31337', '')}, {field}"))
    ).endswith("Not charged.")
    await studio.imagine("1girl")

    assert (await studio.finish()).attachments


@pytest.mark.parametrize("ensd", ["-9", "99999999999"])
async def test_a_negative_ensd_is_painted_and_so_is_what_says_an_impossible_one(studio, recreate, ensd):
    await recreate(infotext=INFOTEXT.replace("ENSD: 31337", f"ENSD: {ensd}"))

    assert (await studio.finish()).attachments


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing to recreate"),
        ({"infotext": "just a prompt"}, "not an infotext"),
        ({"infotext": INFOTEXT.replace("128x192", "4096x4096")}, "cap of 1280"),
        ({"infotext": INFOTEXT.replace("Steps: 12", "Steps: 900")}, "cap of 60"),
        ({"picture": ("a.png", png_with(None))}, "has no infotext"),
        ({"picture": ("a.txt", b"hello")}, "not a readable picture"),
    ],
)
async def test_what_cannot_be_recreated_is_refused(studio, recreate, options, words):
    text = await studio.refused(await recreate(**options))

    assert words in text
    assert text.endswith("Not charged.")


async def test_the_cards_pictures_are_asked_about_where_the_checkpoint_is_smaller(studio, recreate):
    asked = await recreate(infotext=CARD[0])
    await studio.hana.click(asked.response, label="Paint the size that fits")
    request = await painted_request(studio)

    assert ((128, 192), (256, 384)) == ((request.width, request.height), (request.hires.width, request.hires.height))


OVER = INFOTEXT + ", Denoising strength: 0.4"
MASKED = OVER + ", Mask blur: 8, Inpaint area: Only masked, Masked area padding: 16"


async def test_what_was_painted_over_a_picture_is_painted_over_it_again(studio, recreate):
    answer = await recreate(infotext=OVER, init=("start.png", square_png()))
    init = (await painted_request(studio)).init

    assert (0.4, None) == (init.denoising_strength, init.mask)
    assert not any("noise alone" in str(each.content) for each in answer.followups)


async def test_what_was_painted_by_a_mask_is_painted_by_it_again(studio, recreate):
    await recreate(infotext=MASKED, init=("start.png", square_png()), mask=("mask.png", square_png("white")))
    mask = (await painted_request(studio)).init.mask

    assert (8, True, 16) == (mask.blur_x, mask.only_masked, mask.padding)


async def test_a_mask_that_is_not_given_is_said(studio, recreate):
    answer = await recreate(infotext=MASKED, init=("start.png", square_png()))

    assert (await painted_request(studio)).init.mask is None
    assert any("by a mask, which is not given" in str(each.content) for each in answer.followups)


@pytest.mark.parametrize(
    ("infotext", "files", "words"),
    [
        (INFOTEXT, {"init"}, "painted from noise alone: leave out"),
        (MASKED, {"mask"}, "A mask belongs to a picture to start from"),
    ],
)
async def test_a_picture_that_does_not_belong_there_is_refused(studio, recreate, infotext, files, words):
    answer = await recreate(infotext=infotext, **{name: ("a.png", square_png()) for name in files})

    assert words in await studio.refused(answer)


def square_png(colour="red"):
    file = io.BytesIO()
    Image.new("RGB", (128, 192), colour).save(file, "PNG")
    return file.getvalue()
