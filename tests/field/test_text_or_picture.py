"""Infotexts in files whose names say something else, and texts with zero bytes: kinds D, I and O of the cases."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import RequestError
from pastelbot.formats.pictures import read_infotext
from pastelbot.formats.texts.decoding import decode_comment, decoded
from pastelbot.options.wildcards import load_wildcards

TEXT = "1girl, 髪\nNegative prompt: hat\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"


def picture(kind):
    info, file = PngInfo(), io.BytesIO()
    info.add_itxt("parameters", TEXT)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + TEXT.encode("utf-16-be")
    Image.new("RGB", (8, 8)).save(file, kind, **({"pnginfo": info} if kind == "PNG" else {"exif": exif.tobytes()}))
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a", "a.png", "a.TXT"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_with_any_name_is_read_as_one(kind, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(picture(kind))

    assert TEXT == read_infotext(path)


@pytest.mark.parametrize("name", ["a.log", "a.infotext", "a.png", "a.yaml", "a.text", "a.csv"])
def test_a_text_with_any_name_is_read_as_one(name, tmp_path):
    path = tmp_path / name
    path.write_text(TEXT, encoding="utf-8")

    assert TEXT == read_infotext(path)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"{\\rtf1\\ansi 1girl}", "a document of a word processor"),
        (b"PK\x03\x04\x14\0\0\0", "an archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xff\x0a\0\0", "a JPEG XL picture"),
        (b"\0\0\0\x20ftypisom\0\0", "a video"),
    ],
)
def test_another_file_with_the_name_of_a_text_is_named(content, form, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(content)

    with pytest.raises(RequestError, match=f"is {form}: send a PNG, JPEG or WebP file, or paste the infotext"):
        read_infotext(path)


@pytest.mark.parametrize("zeros", [(b"", b"\0"), (b"", b"\0\0"), (b"\0", b""), (b"\0" * 9, b"\0" * 3)])
def test_zeros_at_the_ends_of_a_text_do_not_make_it_another(zeros, tmp_path):
    content = TEXT.encode().join(zeros)

    assert TEXT == decoded(content) == decode_comment(content)
    (tmp_path / "a.txt").write_bytes((b"red hair, blue eyes\n" * 6).join(zeros))
    assert ["red hair, blue eyes"] * 6 == list(load_wildcards(tmp_path).lines("a", 0))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [TEXT, "a", "赤い髪\n", "髪" * 500 + "\nSteps: 1", "1girl"])
def test_wide_encodings_without_a_mark_are_read(text, encoding):
    assert text == decoded(text.encode(encoding))
