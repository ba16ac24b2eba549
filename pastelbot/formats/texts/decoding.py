"""Text in bytes whose encoding has to be found out: by the mark at its start, else by the whole of it."""

import codecs
import re
from contextlib import suppress

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FEW_ZEROS = 8  # one byte of so many at most: of text in UTF-16, the settings alone have more
_CODE_LENGTH = 8  # bytes of the name of an encoding at the start of EXIF's UserComment
_CODES = (b"UNICODE", b"ASCII", b"JIS", b"")
_CHARSET = re.compile(r'charset="?(?:Unicode|Ascii|Jis|Undefined|InvalidCharsetId)"? ', re.IGNORECASE)
# Characters that texts are made of: Latin, Greek, Cyrillic, Hebrew, Arabic, Thai, punctuation, kana, Han, Hangul.
_COMMON = re.compile(
    "[\t\n\r -~\xa0-\u024f\u0370-\u06ff\u0e01-\u0e7f\u2000-\u206f\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]"
)
_HIGH = re.compile(rb"[\x80-\xff]++")
# Two bytes of Japan's encoding of which the first is no letter in western ones, and the second is above ASCII.
_SHIFT_JIS = re.compile(rb"(?<![\x80-\xff])[\x81-\x9f][\x80-\xfc]")
_HOLLOW = re.compile("[" + "".join(chr(high << 8) for high in range(1, 256) if not 0xD8 <= high < 0xE0) + "]")


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, UTF-16 or UTF-32, with or without a mark, in either order of bytes.

    Files that were joined have a mark at each beginning, and those of DOS a sign at the end: they are taken away.
    Raises UnicodeDecodeError where it is in none of them.
    """
    text = _by_mark(content)
    if text is None:
        text = _with_zeros(content) if b"\0" in content else content.decode("utf-8")
    return text.replace("\ufeff", "").rstrip("\x1a")


def _with_zeros(content: bytes) -> str:
    """Return the text of bytes with zeros among them: UTF-8 with a few at its ends, else a wide encoding."""
    bare = content.strip(b"\0")
    if content.count(b"\0") * _FEW_ZEROS < len(content) and b"\0" not in bare:
        with suppress(UnicodeDecodeError):
            return bare.decode("utf-8")
    return _wide(content)


def decode_comment(comment: bytes) -> str:
    """Return the text of EXIF's UserComment, whatever wrote it.

    The standard begins it with eight bytes that name the encoding. Programs leave them out, write others than the text
    has, and write UTF-16 in either order: so the text itself decides. What is in no encoding is read as far as it can.
    """
    code, text = _code_and_text(comment)
    if code == b"JIS" and b"\x1b" in text:
        return _cleaned(text.decode("iso2022_jp", errors="replace"))
    try:
        return _cleaned(decoded(_without_padding(text)))
    except UnicodeDecodeError:
        pass
    if code == b"UNICODE":
        return _cleaned(_wide(text))
    return _cleaned(text.decode("cp932", errors="replace") if code == b"JIS" else decode_narrow(text))


def _code_and_text(comment: bytes) -> tuple[bytes, bytes]:
    """Return the name of an encoding at the start, and the text behind it; some programs write the name twice."""
    code = comment[:_CODE_LENGTH].rstrip(b"\0 ").upper()
    if code not in _CODES:
        return b"", comment
    text = comment[_CODE_LENGTH:]
    again = text[:_CODE_LENGTH].rstrip(b"\0 ").upper()
    return (code, text[_CODE_LENGTH:]) if again and again in _CODES else (code, text)


def decode_narrow(text: bytes) -> str:
    """Return a text in an encoding of one country, as far as it can be read: China's, Japan's or that of the west."""
    if all(len(run) % 2 == 0 for run in _HIGH.findall(text)):  # western letters with signs mostly stand alone
        try:
            return text.decode("gb2312")
        except UnicodeDecodeError:
            pass
    if _SHIFT_JIS.search(text):
        try:
            return text.decode("cp932")
        except UnicodeDecodeError:
            pass
    return text.decode("cp1252", errors="replace")


def _undoubled(text: str) -> str:
    """Return a text in UTF-8 that was taken for a western one and encoded again."""
    for encoding in ("latin-1", "cp1252"):
        try:
            return text if text.isascii() else text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _by_mark(content: bytes) -> str | None:
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    return None if encoding is None else content.decode(encoding).removeprefix("\ufeff")


def _without_padding(text: bytes) -> bytes:
    """Take the zero bytes at the end away, but for one that is half of a character in UTF-16."""
    bare = text.rstrip(b"\0")
    return bare if b"\0" not in bare or len(bare) % 2 == 0 else text[: len(bare) + 1]


def _wide(content: bytes) -> str:
    """Return the text in UTF-16 of the order that makes more sense; big-endian, as the webui writes it, if neither.

    Where nearly half of it is zero bytes in a row it is in UTF-32.
    """
    if content.count(b"\0\0") * 5 >= len(content):
        for encoding in ("utf-32-le", "utf-32-be"):
            try:
                return (content + b"\0" * (-len(content) % 4)).decode(encoding)
            except UnicodeDecodeError:
                continue
    big = content[: len(content) // 2 * 2].decode("utf-16-be", errors="replace")
    little = (content + b"\0" * (len(content) % 2)).decode("utf-16-le", errors="replace")  # its end may be cut off
    return max((big, little), key=_sense)


def _sense(text: str) -> tuple[int, int]:
    """Return how much a text looks like one, and then how near its characters are to each other.

    In the wrong order of bytes, Latin letters end in a zero byte, and kana are scattered.
    """
    rows = {ord(character) >> 8 for character in text}
    return 2 * len(_COMMON.findall(text)) - len(_HOLLOW.findall(text)) - len(text), -len(rows)


def _cleaned(text: str) -> str:
    text = text.strip("\0\ufeff")
    marked = _CHARSET.match(text)
    return _undoubled(text if marked is None else text[marked.end() :])
