"""`/imagine init: mask:`: a part of a picture, through a restart and Reroll, and what is refused."""

import io

import numpy as np
import pytest
from helpers.support import png
from PIL import Image

from pastelbot.formats.inpainting.mask_files import mask_content
from pastelbot.store.picture_files import PictureFiles

SIZE = (64, 96)
INIT, MASK = ("a.png", png("red", size=SIZE)), ("m.png", png("white", size=SIZE))


def levels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


def assert_has_the_mask(studio, job_id):
    init = studio.executor.painting[job_id].init
    assert np.array_equal(levels(mask_content(init, init.mask)), levels(MASK[1]))


async def test_the_worker_gets_the_mask_and_reroll_has_it_again_after_a_restart(studio):
    await studio.imagine("1girl", init=INIT, mask=MASK, hires="off")
    (job_id,) = await studio.painting()
    assert_has_the_mask(studio, job_id)
    message = await studio.finish()
    assert (await studio.jobs.get(job_id)).request.init.mask.content == b""

    await studio.bot.close()
    await studio.restart()
    await studio.hana.click(studio.message(message.id), label="Reroll")
    (again,) = await studio.painting()
    assert_has_the_mask(studio, again)


async def test_a_mask_is_removed_with_its_picture(studio):
    await studio.imagine("1girl", init=INIT, mask=MASK)
    message = await studio.finish()
    files = PictureFiles(studio.settings.storage.pictures, studio.bot.services.database)
    studio.clock.advance(days=400)
    await files.sweep(before=studio.clock(), max_bytes=0)

    assert list(studio.settings.storage.pictures.rglob("*.png")) == []
    refused = await studio.hana.click(message, label="Reroll")
    assert "no longer kept" in refused.response.content


async def test_options_of_the_mask_are_flags(studio):
    await studio.imagine("1girl --set Mask blur: 8, Inpaint area: Only masked", init=INIT, mask=MASK)
    (job_id,) = await studio.painting()
    mask = studio.executor.painting[job_id].init.mask

    assert (mask.blur_x, mask.blur_y, mask.only_masked) == (8, 8, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask": MASK}, "A mask belongs to a picture to start from"),
        ({"init": INIT, "mask": ("m.png", png(size=(32, 32)))}, "The mask is 32x32, the picture to start from 64x96"),
        ({"init": INIT, "mask": ("m.png", b"hello")}, "The mask cannot be read"),
    ],
)
async def test_what_is_no_mask_is_refused_and_costs_nothing(studio, options, words):
    result = await studio.imagine("1girl", **options)

    assert words in await studio.refused(result)
