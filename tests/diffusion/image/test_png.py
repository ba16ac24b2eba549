"""PNG files with an infotext."""

import io

import numpy as np
import pytest
from PIL import Image

from pastelbot.diffusion.image.png import encode_png
from pastelbot.formats.pictures import read_infotext

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


@pytest.mark.parametrize(
    ("text", "chunk"),
    [("1girl\nNegative prompt: é\nSteps: 20, Seed: 1", b"tEXt"), ("雪, ✨\nSteps: 20", b"iTXt")],
)
def test_infotext_and_pixels_come_back(text, chunk):
    """Latin letters travel in a tEXt chunk, others in an iTXt chunk."""
    png = encode_png(PIXELS, text)

    assert chunk + b"parameters" in png
    assert read_infotext(png) == text
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), PIXELS)


def test_same_picture_is_the_same_file():
    """No time and no version is written."""
    assert encode_png(PIXELS, "x") == encode_png(PIXELS, "x")


def test_other_readers_see_the_settings():
    """An independent reader finds prompt and seed."""
    from sd_parsers import ParserManager

    info = ParserManager().parse(
        Image.open(io.BytesIO(encode_png(PIXELS, "1girl\nSteps: 20, Sampler: Euler a, Seed: 7")))
    )

    assert info is not None
    assert [prompt.value for prompt in info.prompts] == ["1girl"]
