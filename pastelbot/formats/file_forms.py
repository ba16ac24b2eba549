"""The form of a weights file, by its first bytes: the endings of names are often wrong, or in capitals."""

import codecs
import re
import zipfile
from pathlib import Path

from pastelbot.errors import CheckpointError, PathError
from pastelbot.paths import check_is_stored

_SAFE_SUFFIX = ".safetensors"
_HEAD = 512
_LONGEST_HEADER = 100 * 2**20  # bytes; as safetensors' own reader has it

_ARCHIVE = "an archive: unpack it, and name a file in it"
_PICTURE = "a picture"
_PROGRAM = "a program, which no weights are: do not run it, and download the file elsewhere"
_LANGUAGE_MODEL = "a GGML file, a language model of other programs"
_TORRENT = "a torrent, not the file that it leads to: download that with a program for torrents"
_ENGINE = "an engine of TensorRT: name the checkpoint that it was made of"
_ARRAYS = "arrays of NumPy: trainers keep latents so; weights are in a safetensors file"
_STARTS = {
    b"version https://git-lfs": (
        "a pointer of Git LFS to the file, not the file itself: run `git lfs pull`, or download the file"
    ),
    b"\x89HDF": "a file of Keras (HDF5): download its safetensors file",
    **dict.fromkeys((b"ftrt", b"ptrt"), _ENGINE),
    b"GGUF": "a GGUF file, which is quantised for other programs: download its safetensors file",
    **dict.fromkeys((b"lmgg", b"fmgg", b"tjgg", b"algg"), _LANGUAGE_MODEL),
    **dict.fromkeys((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"MSCF\0\0\0\0"), _ARCHIVE),
    **dict.fromkeys((b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"), _ARCHIVE),  # Zstandard, LZ4
    **dict.fromkeys(
        (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\xff\x0a", b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  "), _PICTURE
    ),
    **dict.fromkeys((b"II*\0", b"MM\0*", b"8BPS\0\1"), _PICTURE),
    b"\x1aE\xdf\xa3": "a video",
    **dict.fromkeys((b"ID3", b"OggS", b"fLaC"), "a sound"),
    b"%PDF": "a PDF document",
    **dict.fromkeys((b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"), _PROGRAM),
    b"\x93NUMPY": _ARRAYS,
    b"SQLite format 3\0": "a database (SQLite)",
    b"\0\5\x16\7": "what macOS keeps beside a file (its name begins with ._): name the file without ._",
    b"L\0\0\0\1\x14\2\0": "a shortcut of Windows: name the file that it leads to",
    b"Salted__": "an encrypted file",
}

_ZEROS = "nothing but zeros, which is what a download that did not end leaves: download it again"
_WEB = re.compile(rb"\s*<(?:!doctype|!--|html|head|body|\?xml).*", re.IGNORECASE | re.DOTALL)
_WEB_PAGE = "a web page: the download was refused or needs a login; download the file itself"
_REFUSED = "the download was refused, or this is a configuration; download the file itself"
_PATTERNS = (
    (re.compile(rb"RIFF.{4}(?:WAVE|AVI ).*", re.DOTALL), "a sound or a video"),
    (re.compile(rb"RIFF.*", re.DOTALL), _PICTURE),
    (re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x40\x6c\x7c]\0{3}.*", re.DOTALL), _PICTURE),
    (re.compile(rb"MZ.{58}.*", re.DOTALL), _PROGRAM),
    (re.compile(rb".{257}ustar.*", re.DOTALL), _ARCHIVE),
    (re.compile(rb"d\d+:(?:announce|created by|comment|info|creation date|azureus|encoding).*", re.DOTALL), _TORRENT),
    (re.compile(rb".{4}TFL3.*", re.DOTALL), "a file of TensorFlow Lite: download its safetensors file"),
    (
        re.compile(rb"\s*(?:<\?xml[^>]*+>\s*)?<net name=.*", re.DOTALL),
        "the XML file of an OpenVINO network: name the checkpoint that it was made of",
    ),
    (re.compile(rb"\s*(?:<\?xml[^>]*+>\s*)?(?:<!DOCTYPE svg[^>]*+>\s*)?<svg.*", re.DOTALL), _PICTURE),
    (_WEB, _WEB_PAGE),
    (re.compile(rb"\s*\{.*", re.DOTALL), f"a text in JSON: {_REFUSED}"),
    (re.compile(rb"[\t\r\n -~]+"), f"a text: {_REFUSED}"),
    (re.compile(rb".{4}ftyp.*", re.DOTALL), "a picture or a video"),
    # A map of MessagePack whose first key is a text.
    (
        re.compile(rb"(?:[\x81-\x8f]|\xde..)[\xa1-\xbf][a-z_]{2}.*", re.DOTALL),
        "a file of Flax (MessagePack): download its safetensors file",
    ),
    (re.compile(rb"\0+"), _ZEROS),
    # A message of Protocol Buffers: its version, then its producer, opset or graph.
    (
        re.compile(rb"\x08[\x01-\x1f][\x12\x1a\x22\x2a\x32\x3a\x42].*", re.DOTALL),
        "an ONNX file: name the folder of an ONNX export, or a safetensors file",
    ),
)


def is_safetensors(path: Path) -> bool:
    """Return whether a weights file is of safetensors, else of PyTorch; what is damaged is what its ending says.

    Raises a CheckpointError that says what the file is where it is neither.
    """
    head = _head(path)
    if _has_safe_header(head):
        return True
    if (other := _other_form(path, head)) is not None:
        raise CheckpointError(f"{path} is {other}.")
    return not _is_pytorch(head) and path.suffix.lower() == _SAFE_SUFFIX


def form_of_no_text(content: bytes) -> str | None:
    """Return what a file is, with what to do, that should be a text of lines; None where it may be one."""
    head = content[:_HEAD]
    if head.startswith(b"PK\x03\x04"):
        return _ARCHIVE
    if head and not head.strip(b"\0"):
        return _ZEROS
    form = next((form for start, form in _STARTS.items() if head.startswith(start)), None)
    return _WEB_PAGE if form is None and _WEB.fullmatch(head.removeprefix(codecs.BOM_UTF8)) else form


def _head(path: Path) -> bytes:
    try:
        check_is_stored(path)
        with path.open("rb") as file:
            return file.read(_HEAD)
    except PathError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error


def _has_safe_header(head: bytes) -> bool:
    """Return whether a file begins with the length of a header, and the header in JSON."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def _is_pytorch(head: bytes) -> bool:
    """Return whether a file begins as a pickle or as an archive."""
    return head.startswith((b"\x80", b"PK\x03\x04"))


def _other_form(path: Path, head: bytes) -> str | None:
    """Return what a file is, with what to do, where it holds no weights of PyTorch or safetensors."""
    if not head:
        return "empty: download it again"
    for start, form in _STARTS.items():
        if head.startswith(start):
            return form
    text = head.removeprefix(codecs.BOM_UTF8)
    for pattern, form in _PATTERNS:
        if pattern.fullmatch(text):
            return form
    if _is_text(head):
        return f"a text: {_REFUSED}"
    return _kind_of_archive(path, head)


def _is_text(head: bytes) -> bool:
    """Return whether bytes begin a text with letters of any script, in UTF-8 or with UTF-16's mark."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)  # the last letter may be cut off
    except UnicodeDecodeError:
        return False
    return all(each.isprintable() or each.isspace() for each in text.removeprefix("\ufeff"))


def _kind_of_archive(path: Path, head: bytes) -> str | None:
    """Return what a whole ZIP archive without what PyTorch writes into one is; None for anything else."""
    if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return None  # it is damaged: the reader of PyTorch's files says so
    if any(name.endswith("data.pkl") for name in names):
        return None
    return _ARRAYS if names and all(name.endswith(".npy") for name in names) else _ARCHIVE
