import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import RequestError
from pastelbot.pictures import make_sheet, read_infotext

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
def test_exif_tells_it_too(tmp_path, kind):
    path = tmp_path / f"a.{kind.lower()}"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + INFOTEXT.encode("utf-16-be")
    Image.new("RGB", (8, 8)).save(path, kind, exif=exif)

    assert INFOTEXT == read_infotext(path)


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


def test_a_sheet_has_all_pictures_row_by_row():
    sheet = Image.open(io.BytesIO(make_sheet([png("red"), png("lime"), png("blue")])))

    assert (16, 8) == sheet.size
    assert [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)] == [
        sheet.getpixel(place) for place in ((0, 0), (15, 0), (0, 7), (15, 7))
    ]
