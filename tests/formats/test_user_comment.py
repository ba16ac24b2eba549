"""Infotexts in every encoding, order of bytes, mark, type and place that programs write them in."""

import codecs
import io
import struct

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import RequestError
from pastelbot.formats.pictures import open_flat, read_infotext, size_of
from pastelbot.formats.texts.decoding import decode_comment, decoded

SETTINGS = "Negative prompt: hat\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"
PROMPTS = [
    "1girl",
    "最高品質, 1girl",
    "一个女孩",
    "\u3000空白, 1girl",
    "女の子",
    "소녀, 1girl",
    "девочка",
    "é, ñ",
    "🎀 1girl",
]
ASCII, BYTE, SHORT, UNDEFINED = 2, 1, 3, 7
EXIF_IFD, USER_COMMENT = 0x8769, 0x9286


def ifd(tags, start, order):
    """Return an IFD that stands at `start`, its tags as (number, type, content)."""
    sizes = {SHORT: 2, 4: 4}
    head, data = struct.pack(order + "H", len(tags)), b""
    behind = start + 2 + 12 * len(tags) + 4
    for tag, kind, content in sorted(tags):
        count = len(content) // sizes.get(kind, 1)
        head += struct.pack(order + "HHI", tag, kind, count)
        if len(content) <= 4:
            head += content.ljust(4, b"\0")
        else:
            head += struct.pack(order + "I", behind + len(data))
            data += content + b"\0" * (len(content) % 2)
    return head + b"\0" * 4 + data


def exif(*, inner=(), outer=(), order=">"):
    """Return an EXIF block with these tags in the EXIF directory and in the first one."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    placed = [*outer, (EXIF_IFD, 4, b"\0" * 4)]
    place = 8 + len(ifd(placed, 8, order))
    placed = [*outer, (EXIF_IFD, 4, struct.pack(order + "I", place))]
    return b"Exif\0\0" + mark + struct.pack(order + "I", 8) + ifd(placed, 8, order) + ifd(list(inner), place, order)


def picture(kind, **options):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind, **options)
    return file.getvalue()


def commented(comment, *, kind="JPEG", type_=UNDEFINED, place="inner", order=">"):
    return picture(kind, exif=exif(**{place: [(USER_COMMENT, type_, comment)]}, order=order))


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(
    "written",
    [
        lambda text: b"UNICODE\0" + text.encode("utf-16-be"),
        lambda text: b"UNICODE\0" + text.encode("utf-16-le"),
        lambda text: b"UNICODE\0" + codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: b"UNICODE\0" + codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: b"UNICODE\0" + text.encode(),
        lambda text: b"UNICODE\0" + codecs.BOM_UTF8 + text.encode(),
        lambda text: b"Unicode\0" + text.encode("utf-16-le") + b"\0\0",
        lambda text: b"ASCII\0\0\0" + text.encode(),
        lambda text: b"ASCII   " + text.encode() + b"\0",
        lambda text: b"ASCII\0\0\0" + text.encode("utf-16-le"),
        lambda text: bytes(8) + text.encode(),
        lambda text: bytes(8) + text.encode("utf-16-be"),
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-16"),
        lambda text: b'charset="Unicode" ' + text.encode(),
    ],
    ids=[
        "utf-16-be", "utf-16-le", "be with mark", "le with mark", "utf-8 called unicode", "utf-8 with mark",
        "small letters", "utf-8 called ascii", "code in blanks", "utf-16 called ascii", "undefined",
        "undefined utf-16", "no code", "no code utf-16", "no code with mark", "charset in words",
    ],
)  # fmt: skip
def test_a_comment_is_read_however_it_is_encoded(written, kind, prompt):
    text = f"{prompt}\n{SETTINGS}"

    assert text == read_infotext(commented(written(text), kind=kind))


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("place", ["inner", "outer"])
@pytest.mark.parametrize("type_", [ASCII, BYTE, UNDEFINED])
@pytest.mark.parametrize("code", [b"", b"ASCII\0\0\0", b"UNICODE\0"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_comment_is_read_whatever_its_type_place_and_order(kind, code, type_, place, order):
    text = f"最高品質, 1girl\n{SETTINGS}"
    content = code + text.encode("utf-16-be" if code.startswith(b"U") else "utf-8")

    assert text == read_infotext(commented(content, kind=kind, type_=type_, place=place, order=order))


@pytest.mark.parametrize("type_", [ASCII, UNDEFINED])
@pytest.mark.parametrize(("tag", "encoding"), [(0x010E, "utf-8"), (0x9C9C, "utf-16-le")])
def test_other_tags_hold_infotexts_too(tag, encoding, type_):
    text = f"1girl, ünïcödé\n{SETTINGS}"

    assert text == read_infotext(picture("JPEG", exif=exif(outer=[(tag, type_, text.encode(encoding))])))


def test_a_japanese_code_is_followed():
    text = f"女の子, 1girl\n{SETTINGS}"

    assert text == decode_comment(b"JIS\0\0\0\0\0" + text.encode("iso2022_jp"))
    assert text == decode_comment(b"JIS\0\0\0\0\0" + text.encode("cp932"))
    assert "café" == decode_comment(b"ASCII\0\0\0" + "café".encode("cp1252"))


JAPANESE = ["女の子, 1girl", "最高品質, 1girl", "東京、夜景"]
JIS, NO_CODE = b"JIS\0\0\0\0\0", b"\0" * 8


@pytest.mark.parametrize("prompt", JAPANESE)
@pytest.mark.parametrize("encoding", ["cp932", "iso2022_jp"])
def test_all_encodings_of_japan_are_read_behind_their_code(prompt, encoding):
    assert decode_comment(JIS + f"{prompt}\n{SETTINGS}".encode(encoding)) == f"{prompt}\n{SETTINGS}"


def test_narrow_kana_are_read_behind_their_code():
    assert decode_comment(JIS + f"ｶﾜｲｲ\n{SETTINGS}".encode("cp932")) == f"ｶﾜｲｲ\n{SETTINGS}"


@pytest.mark.parametrize("prompt", JAPANESE[:2])
@pytest.mark.parametrize("code", [NO_CODE, b"ASCII\0\0\0", b""])
def test_shift_jis_is_read_without_its_code(prompt, code):
    assert decode_comment(code + f"{prompt}\n{SETTINGS}".encode("cp932")) == f"{prompt}\n{SETTINGS}"


@pytest.mark.parametrize("encoding", ["cp932", "gb2312"])
def test_a_chunk_in_an_encoding_of_a_country_is_read(encoding):
    info = PngInfo()
    info.add(b"tEXt", b"parameters\0" + f"最高品\n{SETTINGS}".encode(encoding))

    assert read_infotext(picture("PNG", pnginfo=info)) == f"最高品\n{SETTINGS}"


@pytest.mark.parametrize("prompt", ["café, naïve", "“quotes” – dashes…", "Ärger, Öl, Übel", "crème brûlée"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_western_letters_are_no_shift_jis(prompt, encoding):
    assert decode_comment(NO_CODE + f"{prompt}\n{SETTINGS}".encode(encoding)) == f"{prompt}\n{SETTINGS}"


@pytest.mark.parametrize("prompt", ["最高品質, 1girl", "café", "🎀 1girl"])
def test_a_text_that_was_encoded_twice_is_what_it_was(prompt):
    twice = f"{prompt}\n{SETTINGS}".encode().decode("latin-1").encode()

    assert decode_comment(NO_CODE + twice) == f"{prompt}\n{SETTINGS}"


def test_a_comment_of_wide_numbers_is_one_in_utf_16():
    text = f"最高品質\n{SETTINGS}"

    assert text == read_infotext(commented(text.encode("utf-16-be"), type_=SHORT, order=">"))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"comment": f"1girl, é\n{SETTINGS}".encode()}),
        ("GIF", {"comment": f"1girl, é\n{SETTINGS}".encode()}),
        ("WEBP", {"xmp": f'<x exif:UserComment="1girl, é&#10;{SETTINGS}"/>'.replace("\n", "&#10;").encode()}),
        ("JPEG", {"xmp": f'<x sd:parameters="1girl, é&#10;{SETTINGS}"/>'.replace("\n", "&#10;").encode()}),
        ("JPEG", {"xmp": f"<exif:UserComment><rdf:Alt><rdf:li>1girl, é\n{SETTINGS}</rdf:li></rdf:Alt>".encode()}),
    ],
)
def test_comments_of_other_kinds_are_read(kind, options):
    assert f"1girl, é\n{SETTINGS}" == read_infotext(picture(kind, **options))


@pytest.mark.parametrize("name", ["parameters", "Parameters", "Comment", "Description"])
def test_a_chunk_in_utf_8_is_read_though_its_standard_is_latin_1(name):
    text = f"最高品質, é\n{SETTINGS}"
    info = PngInfo()
    info.add(b"tEXt", name.encode() + b"\0" + text.encode())

    assert text == read_infotext(picture("PNG", pnginfo=info))


def test_a_chunk_in_latin_1_stays_what_it_is():
    info = PngInfo()
    info.add_text("parameters", f"café\n{SETTINGS}")

    assert f"café\n{SETTINGS}" == read_infotext(picture("PNG", pnginfo=info))


def test_the_text_with_settings_counts_wherever_others_are():
    camera = (0x010E, ASCII, b"OLYMPUS DIGITAL CAMERA")
    comment = (USER_COMMENT, UNDEFINED, b"UNICODE\0" + f"1girl\n{SETTINGS}".encode("utf-16-le"))

    assert f"1girl\n{SETTINGS}" == read_infotext(picture("JPEG", exif=exif(outer=[camera], inner=[comment])))


@pytest.mark.parametrize("comment", [b"", b"\0" * 8, b"UNICODE\0", b"ASCII\0\0\0\0\0"])
def test_an_empty_comment_is_none(comment):
    with pytest.raises(RequestError, match="has no infotext"):
        read_infotext(commented(comment))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_text_file_is_read_in_every_encoding_of_unicode(tmp_path, prompt, encoding):
    text = f"{prompt}\n{SETTINGS}"
    path = tmp_path / "日本語 ü.txt"
    path.write_bytes(text.encode(encoding))

    assert text == read_infotext(path) == decoded(path.read_bytes())
    assert text == read_infotext(path.read_bytes())


def test_a_text_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("女の子, 1girl".encode("cp932"))

    with pytest.raises(RequestError, match=r"a\.txt is not text in UTF-8 or UTF-16: save it as UTF-8\."):
        read_infotext(path)


# A head alone, a directory that is cut off, one far behind the end, and no directory at all.
DAMAGED = [b"MM\0*", b"II*\0\x08\0\0\0\x05", b"MM\0*\0\xff\xff\xff", b"XX\0*\0\0\0\x08"]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # which Pillow goes on after
@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_exif_hides_neither_the_text_beside_it_nor_the_picture(damaged):
    info = PngInfo()
    info.add(b"eXIf", damaged)
    info.add_text("parameters", f"1girl\n{SETTINGS}")
    content = picture("PNG", pnginfo=info)

    assert f"1girl\n{SETTINGS}" == read_infotext(content)
    assert (8, 8) == size_of(content) == open_flat(content).size


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # which Pillow goes on after
@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_exif_alone_is_refused_with_a_sentence(damaged):
    for kind in ("JPEG", "WEBP"):
        content = picture(kind, exif=b"Exif\0\0" + damaged)
        with pytest.raises(RequestError, match=r"is damaged|has no infotext"):
            read_infotext(content)
        assert (8, 8) == size_of(content) == open_flat(content).size


@pytest.mark.filterwarnings("ignore:Metadata Warning")  # of Pillow, about the second number
def test_an_orientation_that_is_no_number_turns_nothing():
    content = picture("JPEG", exif=exif(outer=[(0x0112, SHORT, struct.pack(">HH", 6, 6))]))

    assert (8, 8) == size_of(content) == open_flat(content).size
