"""A mask inside of the file of its picture."""

import io

import numpy as np
import pytest
from helpers.support import png
from PIL import Image

from pastelbot.errors import LimitError
from pastelbot.formats import pictures
from pastelbot.formats.inpainting.mask_files import mask_content, with_mask_inside
from pastelbot.formats.inpainting.masks import inpainting
from pastelbot.records import InitImage, Mask

SIZE = (64, 96)


def as_file(image, kind="PNG"):
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def masked(content, mask):
    return InitImage(content=content, mask=Mask(content=mask))


def square(mode="L"):
    image = Image.new(mode, SIZE)
    image.paste((255, 255, 255, 255) if mode == "RGBA" else 255, (16, 16, 40, 40))
    return as_file(image)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_what_is_painted_is_the_same_from_one_file(mode):
    picture = as_file(Image.effect_noise(SIZE, 50).convert("RGB"))
    before = masked(picture, square(mode))

    kept = with_mask_inside(before, 64 * 96)

    assert kept.mask.content == b""
    one, other = (inpainting(init, init.mask, SIZE) for init in (before, kept))
    for part in ("picture", "mask", "overlay"):
        assert np.array_equal(np.asarray(getattr(one, part)), np.asarray(getattr(other, part)))


def test_other_programs_still_read_the_picture():
    kept = with_mask_inside(masked(png("red", size=SIZE), square()), 64 * 96)

    with Image.open(io.BytesIO(kept.content)) as image:
        image.load()
        assert (image.size, image.convert("RGB").getpixel((0, 0))) == (SIZE, (255, 0, 0))
    assert pictures.size_of(kept.content) == SIZE


def test_a_photo_becomes_a_file_that_can_hold_a_mask():
    kept = with_mask_inside(masked(as_file(Image.new("RGB", SIZE), "JPEG"), square()), 64 * 96)

    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(mask_content(kept, kept.mask)))), np.asarray(Image.open(io.BytesIO(square())))
    )


def test_a_file_without_a_mask_has_none():
    assert mask_content(InitImage(content=png()), Mask()) == b""
    assert mask_content(InitImage(content=png()[:60]), Mask()) == b""


def test_a_mask_that_takes_more_than_its_picture_is_refused():
    noise = as_file(Image.effect_noise((400, 400), 90))

    with pytest.raises(LimitError, match="plain areas"):
        with_mask_inside(masked(png(size=SIZE), noise), 64 * 96)
