"""More places and encodings of infotexts in pictures: kind I of the cases from the field, and its neighbours."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import RequestError
from pastelbot.formats.pictures import read_infotext

TEXT = (
    "最高品質, 1girl, é <b> & c\nNegative prompt: hat\n"
    "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"
)
ESCAPED = TEXT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
USER_COMMENT = 0x9286
PACKET = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>'
DESCRIPTION = f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{ESCAPED}</rdf:li></rdf:Alt></dc:description>'
COMMENT = f"<exif:UserComment><rdf:Alt><rdf:li>{ESCAPED}</rdf:li></rdf:Alt></exif:UserComment>"
ATTRIBUTE = 'exif:UserComment="' + ESCAPED.replace("\n", "&#xA;") + '"'


def saved(kind="JPEG", **options):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind, **options)
    return file.getvalue()


def exif(tags, *, inner=None):
    made = Image.Exif()
    for tag, value in tags.items():
        made[tag] = value
    if inner is not None:
        made.get_ifd(0x8769)[USER_COMMENT] = inner
    return made.tobytes()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(*chunks, behind=False):
    """Return a PNG with chunks before its pixels, or behind them."""
    plain = saved("PNG")
    place = plain.rindex(b"IEND") - 4 if behind else plain.index(b"IDAT") - 4
    return plain[:place] + b"".join(chunks) + plain[place:]


def raw_profile(name, content):
    """Return ImageMagick's form of a profile: hexadecimal digits in lines of 72."""
    digits = content.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    body = f"\n{name}\n{len(content):8}\n{lines}\n".encode()
    return chunk(b"zTXt", f"Raw profile type {name}".encode() + b"\0\0" + zlib.compress(body))


def itxt(key, text, *, packed=False):
    content = text.encode()
    return chunk(b"iTXt", key + b"\0" + bytes([packed, 0]) + b"\0\0" + (zlib.compress(content) if packed else content))


UNICODE = b"UNICODE\0" + TEXT.encode("utf-16-be")
PICTURES = {
    "a compressed chunk": png_with(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(TEXT.encode()))),
    "a chunk in Unicode": png_with(itxt(b"parameters", TEXT)),
    "a compressed chunk in Unicode": png_with(itxt(b"parameters", TEXT, packed=True)),
    "a chunk behind the pixels": png_with(itxt(b"parameters", TEXT), behind=True),
    "a chunk in capitals": png_with(itxt(b"PARAMETERS", TEXT)),
    "two chunks, the first one empty": png_with(itxt(b"parameters", ""), itxt(b"Comment", TEXT)),
    "ImageMagick's profile": png_with(raw_profile("exif", b"Exif\0\0" + exif({}, inner=UNICODE)[6:])),
    "EXIF in a PNG": saved("PNG", exif=exif({}, inner=UNICODE)),
    "XMP in a PNG": png_with(itxt(b"XML:com.adobe.xmp", PACKET.format("", COMMENT))),
    "XMP's comment": saved("WEBP", xmp=PACKET.format("", COMMENT).encode()),
    "XMP's comment as an attribute": saved("WEBP", xmp=PACKET.format(ATTRIBUTE, "").encode()),
    "XMP's description": saved("WEBP", xmp=PACKET.format("", DESCRIPTION).encode()),
    "XMP's description in a JPEG": saved("JPEG", xmp=PACKET.format("", DESCRIPTION).encode()),
    "XMP's description in a PNG": png_with(itxt(b"XML:com.adobe.xmp", PACKET.format("", DESCRIPTION))),
    "the comment of a JPEG in UTF-16": saved("JPEG", comment=TEXT.encode("utf-16")),
    "the comment of a JPEG in UTF-8": saved("JPEG", comment=TEXT.encode()),
    "the comment of a GIF": saved("GIF", comment=TEXT.encode()),
    "Windows' title": saved("JPEG", exif=exif({0x9C9B: TEXT.encode("utf-16-le")})),
    "Windows' comment with a zero": saved("JPEG", exif=exif({0x9C9C: TEXT.encode("utf-16-le") + b"\0\0"})),
    "Windows' subject": saved("JPEG", exif=exif({0x9C9F: TEXT.encode("utf-16-le")})),
    "a document's name": saved("JPEG", exif=exif({0x010D: TEXT.encode()})),
    "a comment padded with zeros": saved("JPEG", exif=exif({}, inner=UNICODE + bytes(5000))),
    "a comment padded with blanks": saved("JPEG", exif=exif({}, inner=b"ASCII\0\0\0" + TEXT.encode() + b" " * 500)),
    "an AVIF": saved("AVIF", exif=exif({}, inner=UNICODE)),
    "ImageMagick's older profile": png_with(raw_profile("APP1", b"Exif\0\0" + exif({}, inner=UNICODE)[6:])),
    "UTF-32": saved("JPEG", exif=exif({}, inner=b"UNICODE\0" + TEXT.encode("utf-32-le"))),
    "the name of the encoding twice": saved("JPEG", exif=exif({}, inner=b"UNICODE\0" + UNICODE)),
    "the artist": saved("JPEG", exif=exif({0x013B: TEXT.encode()})),
    "the copyright": saved("JPEG", exif=exif({0x8298: TEXT.encode()})),
    "Windows' author": saved("JPEG", exif=exif({0x9C9D: TEXT.encode("utf-16-le")})),
    "the program's name": saved("JPEG", exif=exif({0x0131: TEXT.encode()})),
    "XMP's title": saved("WEBP", xmp=PACKET.format("", DESCRIPTION.replace("description", "title")).encode()),
    "a chunk of any name": png_with(itxt(b"generation_data", TEXT)),
    "the title of a PNG": png_with(itxt(b"Title", TEXT)),
    "the first text has no settings": saved(
        "JPEG", exif=exif({0x010E: b"a holiday"}, inner=UNICODE), comment=b"made with love"
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_infotext_is_found(name):
    assert TEXT == read_infotext(PICTURES[name]).strip()


def test_chinese_without_unicode_is_read():
    text = TEXT.replace("質", "质").replace("é ", "")
    comment = exif({}, inner=b"\0" * 8 + text.encode("gb2312"))

    assert text == read_infotext(saved("JPEG", exif=comment)).strip()


FORMS = {
    "a TIFF picture": saved("TIFF", description=TEXT),
    "a HEIC picture": b"\0\0\0\x18ftypheic" + TEXT.encode(),
    "a JPEG XL picture": b"\xff\x0a" + TEXT.encode(),
    "a video": b"\0\0\0\x20ftypisom" + TEXT.encode(),
    "a PDF": b"%PDF-1.4 " + TEXT.encode(),
    "an archive": b"PK\x03\x04" + TEXT.encode(),
    "a drawing": b"<svg><desc>" + TEXT.encode(),
    "a web page": b"<!DOCTYPE html>" + TEXT.encode(),
    "a document of a word processor": b"{\\rtf1 " + TEXT.encode(),
    "empty": b"",
}


@pytest.mark.parametrize("form", FORMS)
def test_other_files_are_named_truly(form, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(FORMS[form])

    for source in (FORMS[form], path):
        with pytest.raises(RequestError, match=f"is {form}: send a PNG, JPEG or WebP file, or paste the infotext"):
            read_infotext(source)


def test_pixels_are_not_needed():
    """A picture in a format whose texts are read, as the smallest that there is."""
    info = PngInfo()
    info.add_itxt("parameters", TEXT)

    assert TEXT == read_infotext(saved("PNG", pnginfo=info))
