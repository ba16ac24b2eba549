import io

import pytest
from helpers.support import png
from PIL import Image

from pastelbot.formats import pictures
from pastelbot.formats.contact_sheets import make_labelled_sheet

COLOURS = ("red", "lime", "blue", "yellow", "cyan", "magenta")


def sheet_of(*args, **kwargs):
    return Image.open(io.BytesIO(make_labelled_sheet(*args, **kwargs)))


def test_pictures_stand_row_by_row_under_and_beside_their_labels():
    sheet = sheet_of([png(colour, size=(64, 96)) for colour in COLOURS], ["10", "20", "30"], ["a", "b"])
    left, top = sheet.width - 3 * 72, sheet.height - 2 * 104
    cells = [(left + 72 * x + 32, top + 104 * y + 48) for y in (0, 1) for x in (0, 1, 2)]

    assert [sheet.getpixel(cell) for cell in cells] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
        (0, 255, 255),
        (255, 0, 255),
    ]
    assert dark_pixels(sheet.crop((0, 0, sheet.width, sheet.height - 2 * 104))) > 20
    assert dark_pixels(sheet.crop((0, sheet.height - 2 * 104, sheet.width - 3 * 72, sheet.height))) > 10


def dark_pixels(image):
    return sum(image.convert("L").histogram()[:64])


def test_without_row_labels_there_is_no_margin_for_them():
    assert sheet_of([png(size=(64, 64))] * 2, ["1", "2"]).width == 2 * (64 + 8)


def test_long_labels_are_broken_and_cut():
    sheet = sheet_of([png(size=(64, 64))], ["a very long label indeed, with commas, " * 20], ["x" * 500])

    assert sheet.width < 64 * 3
    assert sheet.height < 64 * 4


@pytest.mark.parametrize("label", ["", "日本語", "🎨", "((red:1.2)) <lora:x:1>", "\n", "\0"])
def test_labels_may_be_anything(label):
    sheet = sheet_of([png(size=(64, 64))], [label], [label])

    assert sheet.getpixel((sheet.width - 40, sheet.height - 40)) == (255, 0, 0)


def test_a_huge_grid_is_made_smaller():
    sheet = sheet_of([png(size=(2048, 2048))] * 8, list("abcdefgh"))

    assert sheet.width <= 6000 + 8 * 8


def test_pictures_of_different_sizes_share_a_sheet():
    sheet = sheet_of([png("red", size=(64, 64)), png("blue", size=(32, 96))], ["a", "b"])

    assert sheet.getpixel((72 + 32, sheet.height - 56)) == (0, 0, 255)


@pytest.mark.parametrize("infotext", ["1girl\nSteps: 20", "ピンク\nSteps: 20"])
def test_the_sheet_carries_the_infotext(infotext):
    assert pictures.read_infotext(make_labelled_sheet([png()], ["a"], infotext=infotext)) == infotext
