import io
import random

import pytest
from helpers.support import png_declaring
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import LimitError, RequestError
from pastelbot.formats.pictures import MAX_FILE, make_sheet, open_flat, read_infotext, size_of

INFOTEXT = "1girl, ümläut\nSteps: 20, Seed: 5"


def png(colour="red", text=None, size=(8, 4)):
    info = PngInfo()
    if text is not None:
        info.add_text("parameters", text)
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def test_a_png_tells_its_infotext(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(text=INFOTEXT))

    assert INFOTEXT == read_infotext(path)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + INFOTEXT.encode("utf-16-be"),
        b"UNICODE\0" + INFOTEXT.encode("utf-16-le"),
        b"ASCII\0\0\0" + INFOTEXT.encode(),
    ],
)
def test_exif_tells_it_too(tmp_path, kind, comment):
    path = tmp_path / f"a.{kind.lower()}"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    Image.new("RGB", (8, 8)).save(path, kind, exif=exif)

    assert INFOTEXT == read_infotext(path)


def test_content_tells_what_the_file_tells():
    assert INFOTEXT == read_infotext(png(text=INFOTEXT))
    with pytest.raises(RequestError, match="not a readable picture"):
        read_infotext(b"no picture")


def test_a_text_file_is_an_infotext(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(INFOTEXT, encoding="utf-8")

    assert INFOTEXT == read_infotext(path)


@pytest.mark.parametrize(("name", "content"), [("a.png", png()), ("a.png", b"no picture"), ("b.png", None)])
def test_what_tells_nothing_is_named(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(RequestError, match=name):
        read_infotext(tmp_path / name)


def test_an_infotext_of_unusual_length_is_refused_unread():
    with pytest.raises(LimitError, match=r"has 100,000 characters; the cap is 65,536"):
        read_infotext(png(text=" " * 99_999 + "x"))


def test_a_sheet_has_all_pictures_row_by_row():
    sheet = Image.open(io.BytesIO(make_sheet([png("red"), png("lime"), png("blue")])))

    assert (16, 8) == sheet.size
    assert [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)] == [
        sheet.getpixel(place) for place in ((0, 0), (15, 0), (0, 7), (15, 7))
    ]


def test_what_is_transparent_is_white():
    file = io.BytesIO()
    Image.new("RGBA", (2, 1), (255, 0, 0, 0)).save(file, "PNG")

    assert (255, 255, 255) == open_flat(file.getvalue()).getpixel((0, 0))


def test_a_turned_photo_is_set_upright():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (8, 4)).save(file, "JPEG", exif=exif)

    assert (4, 8) == size_of(file.getvalue()) == open_flat(file.getvalue()).size


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"no picture", RequestError, "PNG, JPEG or WebP"),
        (b"\0" * (MAX_FILE + 1), LimitError, "10,485,760"),
        (png_declaring(30_000, 30_000), LimitError, "huge; the cap is 25,000,000"),
        (png_declaring(10_000, 10_000), LimitError, "the cap is 25,000,000"),
        (png(size=(6000, 5000)), LimitError, "6000x5000; the cap is 25,000,000"),
        (png(size=(64, 64))[:60], RequestError, "damaged|cannot be read"),
    ],
)
def test_a_picture_that_cannot_be_started_from_is_refused(content, error, words):
    with pytest.raises(error, match=words):
        open_flat(content)


def test_an_infotext_in_a_picture_that_says_it_is_huge_is_refused():
    with pytest.raises(LimitError, match="huge; the cap is 80,000,000 pixels"):
        read_infotext(png_declaring(30_000, 30_000))
    with pytest.raises(LimitError, match="is 9000x9000; the cap is 80,000,000 pixels"):
        read_infotext(png_declaring(9_000, 9_000))


def test_no_pixel_is_decoded_to_look_for_an_infotext_or_a_size():
    """A small file may hold a hundred million pixels, and Pillow looks for EXIF behind them."""
    with pytest.raises(RequestError, match="has no infotext"):
        read_infotext(png_declaring(8_000, 8_000))  # it has no such pixels, so decoding it would fail
    assert (4_000, 4_000) == size_of(png_declaring(4_000, 4_000))


@pytest.mark.parametrize("kind", ["TIFF", "EPS", "PCX"])
def test_pillows_other_formats_are_not_opened(kind):
    file = io.BytesIO()
    Image.new("RGB", (8, 4)).save(file, kind)

    with pytest.raises(RequestError, match=r"not a readable picture|is a TIFF picture"):
        read_infotext(file.getvalue())
    with pytest.raises(RequestError, match="cannot be read"):
        open_flat(file.getvalue())


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damages that it can read around
def test_a_damaged_head_is_refused():
    """Or it is read all the same; no other error comes out."""
    chance = random.Random(1)
    outcomes = set()
    for content in (png(text=INFOTEXT), exif_jpeg()):
        for _ in range(300):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 4, 16))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            for read in (read_infotext, size_of, open_flat):
                outcomes.add(outcome(read, bytes(damaged)))

    assert outcomes == {"read", "refused"}


def outcome(read, content):
    try:
        read(content)
    except (LimitError, RequestError):
        return "refused"
    return "read"


def exif_jpeg():
    exif, file = Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + INFOTEXT.encode("utf-16-be")
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_a_long_text_file_is_refused_by_its_length(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("ü" * 65_537, encoding="utf-8")

    with pytest.raises(LimitError, match=r"a\.txt has 65,537 characters; the cap is 65,536\."):
        read_infotext(path)
