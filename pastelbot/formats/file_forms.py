"""The form of a weights file, by its first bytes: the endings of names are often wrong, or in capitals."""

import codecs
import re
import zipfile
from pathlib import Path

from pastelbot.errors import CheckpointError

_SAFE_SUFFIX = ".safetensors"
_HEAD = 512
_LONGEST_HEADER = 100 * 2**20  # bytes; as safetensors' own reader has it

_ARCHIVE = "an archive: unpack it, and name a file in it"
_STARTS = {
    b"version https://git-lfs": (
        "a pointer of Git LFS to the file, not the file itself: run `git lfs pull`, or download the file"
    ),
    b"\x89HDF": "a file of Keras (HDF5): download its safetensors file",
    b"ftrt": "an engine of TensorRT: name the checkpoint that it was made of",
    b"ptrt": "an engine of TensorRT: name the checkpoint that it was made of",
    b"GGUF": "a GGUF file, which is quantised for other programs: download its safetensors file",
    b"Rar!": _ARCHIVE,
    b"7z\xbc\xaf": _ARCHIVE,
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ\0": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,  # Zstandard
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"RIFF": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF document",
}

_REFUSED = "the download was refused, or this is a configuration; download the file itself"
_PATTERNS = (
    (
        re.compile(rb"\s*<(?:!doctype|!--|html|head|body|\?xml).*", re.IGNORECASE | re.DOTALL),
        "a web page: the download was refused or needs a login; download the file itself",
    ),
    (re.compile(rb"\s*\{.*", re.DOTALL), f"a text in JSON: {_REFUSED}"),
    (re.compile(rb"[\t\r\n -~]+"), f"a text: {_REFUSED}"),
    (re.compile(rb".{4}ftyp.*", re.DOTALL), "a picture or a video"),
    # A map of MessagePack whose first key is a text.
    (
        re.compile(rb"(?:[\x81-\x8f]|\xde..)[\xa1-\xbf][a-z_]{2}.*", re.DOTALL),
        "a file of Flax (MessagePack): download its safetensors file",
    ),
    (re.compile(rb"\0+"), "nothing but zeros, which is what a download that did not end leaves: download it again"),
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


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
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
    return _ARCHIVE if _is_other_archive(path, head) else None


def _is_text(head: bytes) -> bool:
    """Return whether bytes begin a text with letters of any script, in UTF-8 or with UTF-16's mark."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)  # the last letter may be cut off
    except UnicodeDecodeError:
        return False
    return all(each.isprintable() or each.isspace() for each in text.removeprefix("\ufeff"))


def _is_other_archive(path: Path, head: bytes) -> bool:
    """Return whether a file is a whole ZIP archive without what PyTorch writes into one."""
    if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not any(name.endswith("data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False  # it is damaged: the reader of PyTorch's files says so
