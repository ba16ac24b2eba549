"""Pictures to start from are made as small as what is painted from them, and the pixels that are encoded stay equal."""

import io

import numpy as np
import pytest
from helpers.support import png
from PIL import Image

from pastelbot.choices import LATENT_RESIZE, RESIZE_MODES
from pastelbot.errors import RequestError
from pastelbot.formats.init_pictures import fitted, prepared
from pastelbot.formats.pictures import size_of, suffix_of
from pastelbot.records import InitImage

PAINTED = (64, 96)
SIZES = [(64, 96), (96, 64), (640, 960), (333, 77), (50, 40), (2000, 64)]


def noise(size, file_format="PNG"):
    """Return a file that no compression makes smaller than its pixels."""
    pixels = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format)
    return file.getvalue()


def pixels_of(init, size=PAINTED):
    return np.asarray(fitted(init, size))


@pytest.mark.parametrize("mode", RESIZE_MODES)
@pytest.mark.parametrize("size", SIZES)
def test_the_pixels_that_are_encoded_stay_equal(size, mode):
    init = InitImage.of(noise(size), resize_mode=mode)
    kept = prepared(init, PAINTED)

    assert np.array_equal(pixels_of(init), pixels_of(kept))
    assert (kept.width, kept.height) == size_of(kept.content)
    assert kept == prepared(kept, PAINTED)


@pytest.mark.parametrize("mode", RESIZE_MODES[:3])
@pytest.mark.parametrize("size", SIZES)
def test_no_file_has_more_bytes_than_the_painted_pixels(size, mode):
    kept = prepared(InitImage.of(noise(size), resize_mode=mode), PAINTED)

    assert len(kept.content) <= 3 * PAINTED[0] * PAINTED[1] + 16 * 1024
    assert kept.width * kept.height <= max(size[0] * size[1], PAINTED[0] * PAINTED[1])
    assert kept.upload == len(noise(size)), "what was handed over is what is paid for"


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_file_of_the_painted_size_or_smaller_is_kept_as_it_is(file_format):
    content = noise((64, 64), file_format)

    assert prepared(InitImage.of(content), PAINTED).content == content


@pytest.mark.parametrize("mode", RESIZE_MODES)
def test_what_is_behind_a_picture_is_not_kept(mode):
    content = png(size=PAINTED) + bytes(1_000_000)
    kept = prepared(InitImage.of(content, resize_mode=mode), PAINTED)

    assert len(kept.content) < 1000
    assert np.array_equal(pixels_of(InitImage.of(content, resize_mode=mode)), pixels_of(kept))


def test_before_a_latent_resize_all_pixels_are_kept():
    kept = prepared(InitImage.of(noise((300, 200)), resize_mode=LATENT_RESIZE), PAINTED)

    assert (kept.width, kept.height) == (300, 200)


def test_a_turned_photo_is_kept_upright():
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (960, 640), "red").save(file, "JPEG", exif=exif)
    kept = prepared(InitImage.of(file.getvalue(), resize_mode="Crop and resize"), PAINTED)

    assert (kept.width, kept.height) == PAINTED


def test_a_picture_that_is_cut_off_is_refused():
    with pytest.raises(RequestError, match="send"):
        prepared(InitImage.of(noise((640, 960))[:-5000]), PAINTED)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\x89PNG\r\n", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"RIFF0000WEBP", "webp"),
        (b"GIF89a", "gif"),
        (b"BM6", "bmp"),
        (b"", "bin"),
    ],
)
def test_pictures_are_named_by_what_they_are(content, suffix):
    assert suffix_of(content) == suffix
