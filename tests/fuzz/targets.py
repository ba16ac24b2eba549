"""What reads the texts and files of strangers, each with a strategy for inputs near to what it knows.

A reader may return anything or raise an error of ours. The texts mix pieces that mean something with any characters;
the files are whole ones in which bytes were changed, or which were cut.
"""

import asyncio
import io
import json
import os
import pickle
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from helpers.infotexts import INFOTEXT
from helpers.option_flags import SYNTAX
from hypothesis import strategies as st
from PIL import Image

from pastelbot import config
from pastelbot.bot.components.confirmation import PlanButton
from pastelbot.bot.components.gallery_views import EntryButton, PageButton
from pastelbot.bot.components.job_buttons import JobButton, is_of_job
from pastelbot.bot.components.review_buttons import ReviewButton, is_review_of
from pastelbot.bot.plain_text import plain
from pastelbot.diffusion.weights.pickles import load_plain
from pastelbot.errors import PastelError
from pastelbot.formats.pictures import flattened, open_flat, read_infotext, size_of
from pastelbot.formats.safetensors_header import read_header
from pastelbot.infotext import parse_infotext, read_request, with_line_breaks
from pastelbot.options.flags import options_from_prompt
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt import check
from pastelbot.prompt.expansion import expand
from pastelbot.prompt.flags import read_flags
from pastelbot.prompt.lora_tags import read_lora_tags
from pastelbot.prompt.tags.vocabulary import read_tag_file
from pastelbot.prompt.wildcard_lists import Wildcards
from pastelbot.prompt.word_list import painted_texts, wanted_of_negative
from pastelbot.rules.grids import read_axis
from pastelbot.store.gallery import View

_FOLDER = Path(tempfile.gettempdir())
_LISTS = Wildcards({"a": ["{b|c}", "__d__"], "d": ["__a__", "e"]})
_PARTS = (
    *("1girl", ", ", " ", "\n", "(", ")", "[", "]", "{", "}", "|", ":", ":1.2", "\\", "::", " AND ", " BREAK ", "$$"),
    *("<lora:", "a:0.5", ">", "<hypernet:", "__a__", "__", "-2$$", "#", "0.5", "-1", "1e309", "nan", "é", "🎨", "\0"),
    *(" --no ", " --steps ", " --ar ", "16:9", " --seed ", " --size ", " --", '"', "'", "`", "\u200b", "\u202e"),
)
_FIELDS = (
    *("Steps: ", "Sampler: ", "Euler a", "CFG scale: ", "Seed: ", "Size: ", "128x192", "Hires upscale: ", "Model: "),
    *(
        "Negative prompt: ",
        "Denoising strength: ",
        "Lora hashes: ",
        '"a: 1"',
        "Clip skip: ",
        "ENSD: ",
        "Variation seed: ",
    ),
    *("Schedule type: ", "Version: ", "{", "}", '"', ",", "Template: ", "Hires resize: ", "Eta: ", "VAE: "),
)
_KEYS = ("parameters", "prompt", "workflow", "Comment", "Description", "Software", "invokeai_metadata", "sd-metadata")
_CONFIG = (
    *("[discord]\n", "[limits]\n", "[checkpoint]\n", "[sizes.portrait]\n", "[defaults]\n", "[storage]\n", "[quota]\n"),
    *("path", "steps", "width", "max_steps", "guild_ids", "first", "database", "token_file", "work_per_day", "sampler"),
    *(" = ", "1", "-1", "true", '"a"', "[1, 2]", "{}", "nan", "inf", "\n", "#", '"""', "1e400", "[[", "]]", "."),
)
_IDS = (
    "pb:",
    "pb-",
    "review:",
    "plan:",
    "yes:",
    "edit:",
    "page:",
    "entry:",
    "vote:",
    "0123456789ab",
    ":1",
    "nn1",
    "@2a",
    "|",
)
_TAG_LINES = ("1girl", ",", "0", "4", "12345", '"', "a b,c", "\n", "\r\n", "name,category,count,alias", "-1", "9" * 30)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What makes inputs, what reads them, and which errors it may raise."""

    inputs: st.SearchStrategy[Any]
    read: Any
    errors: tuple[type[Exception], ...] = (PastelError,)


class CanaryError(BaseException):
    """Code that was in a file ran."""


class Canary:
    """An object whose pickle raises CanaryError where it is loaded without care."""

    def __reduce__(self):
        return sing, ()


def sing():
    raise CanaryError


# What inputs are made of.


def texts(*parts, at_most=12):
    return st.lists(st.sampled_from(parts) | st.text(max_size=6), max_size=at_most).map("".join)


@st.composite
def damaged(draw, files):
    """Return one of the files with bytes changed, perhaps cut."""
    content = bytearray(draw(st.sampled_from(files)))
    pieces = st.tuples(st.integers(0, len(content)), st.binary(min_size=1, max_size=8))
    for place, piece in draw(st.lists(pieces, max_size=5)):
        content[place : place + len(piece)] = piece
    return bytes(content[: draw(st.none() | st.integers(0, len(content)))])


def file_of(form, **options):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "pink").save(file, form, **options)
    return file.getvalue()


_PNG = file_of("PNG")
_EXIF = Image.Exif()
_EXIF[0x9286] = b"UNICODE\0" + INFOTEXT.encode("utf-16-be")
_PICTURES = [_PNG, *(file_of(form, exif=_EXIF.tobytes()) for form in ("PNG", "JPEG", "WEBP"))]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(kind, content, key, packed):
    """Return a sound PNG with one chunk of any content."""
    if kind == b"zTXt":
        content = b"\0" + (zlib.compress(content) if packed else content)
    elif kind == b"iTXt":
        content = bytes([packed, 0, 0, 0]) + (zlib.compress(content) if packed else content)
    head = b"" if kind == b"eXIf" else key.encode() + b"\0"
    return _PNG[:33] + chunk(kind, head + content) + _PNG[33:]


_CONTENTS = st.binary(max_size=60) | texts(*_FIELDS).map(str.encode) | st.just(INFOTEXT.encode())
_CHUNKED = st.builds(
    png_of, st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"eXIf"]), _CONTENTS, st.sampled_from(_KEYS), st.booleans()
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["F16", [0, 4]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__", "a"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def weights_of(header, stated):
    content = json.dumps(header).encode()
    return struct.pack("<Q", (len(content) if stated is None else stated)) + content + bytes(8)


_WEIGHTS = weights_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, None)
_HEADERS = st.builds(weights_of, _JSON, st.none() | st.integers(0, 2**64 - 1))


def pickles():
    """Return files of PyTorch: of three forms, and one with code in it."""
    files = [pickle.dumps({"a": 1, "b": Canary()}), pickle.dumps(Canary(), protocol=0)]
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save({"state_dict": {"a": torch.zeros(2)}}, file, _use_new_zipfile_serialization=zipped)
        files.append(file.getvalue())
    return files


# What reads them.


def from_file(read, suffix):
    """Return a reader of content, by way of a file."""

    def read_content(content):
        path = _FOLDER / f"fuzzed-{os.getpid()}{suffix}"
        path.write_bytes(content)
        try:
            read(path)
        finally:
            path.unlink()

    return read_content


_BUTTONS = (
    JobButton("edit", "0" * 12),
    PlanButton("yes", "0" * 12),
    EntryButton("vote", 1),
    PageButton("n", View.NEWEST, 0, "", "", upto=None, pages=2),
    ReviewButton("approve", "0" * 12),
)


def read_custom_id(text):
    is_of_job(text, "0123456789ab") if text.startswith("pb:") else is_review_of(text, "0123456789ab")
    for button in _BUTTONS:
        match = button.template.fullmatch(text[:100])
        if match is not None:
            asyncio.run(button.from_custom_id(None, None, match))


def read_wildcards(content):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.txt").write_bytes(content)
        expand("__x__ {__x__|b}", seeds=[1], wildcards=load_wildcards(Path(folder)), limit=8)


def read_picture(content):
    for read in (read_infotext, size_of, open_flat, lambda data: flattened(data, what="The picture")):
        try:
            read(content)
        except PastelError:
            continue


def painted(text):
    check(text)
    painted_texts(text, steps=4, hires_steps=3)
    wanted_of_negative(text, steps=4)


def flags_of(text):
    read_flags(text, SYNTAX)
    options_from_prompt(text)


def infotext_of(text):
    parse_infotext(text)
    read_request(text)
    read_request(with_line_breaks(text))


PROMPTS = texts(*_PARTS)
_LINES = texts(*_FIELDS, *_PARTS, ": ", "\n", "Steps: 20, ", at_most=16)
IDS = texts(*_IDS)
TARGETS = {
    "prompts": Target(inputs=PROMPTS, read=painted),
    "networks": Target(inputs=PROMPTS, read=read_lora_tags),
    "expansion": Target(inputs=PROMPTS, read=lambda text: expand(text, seeds=[1], wildcards=_LISTS, limit=8)),
    "flags": Target(inputs=PROMPTS, read=flags_of),
    "plain text": Target(inputs=PROMPTS, read=plain),
    "grid axes": Target(
        inputs=texts("1", "-", ",", "5", "(+2)", "[3]", ":", " ", "."), read=lambda text: read_axis("steps", text)
    ),
    "infotexts": Target(inputs=_LINES | st.builds("{}\nSteps: 1, {}".format, _LINES, _LINES), read=infotext_of),
    "wildcard files": Target(
        inputs=PROMPTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(), read=read_wildcards
    ),
    "pictures": Target(inputs=damaged(_PICTURES), read=read_picture),
    "pictures' chunks": Target(inputs=_CHUNKED, read=read_picture),
    "safetensors headers": Target(inputs=_HEADERS | damaged([_WEIGHTS]), read=from_file(read_header, ".safetensors")),
    "pickles": Target(inputs=damaged(pickles()), read=from_file(load_plain, ".ckpt"), errors=(Exception,)),
    "configurations": Target(
        inputs=texts(*_CONFIG).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=30),
        read=from_file(lambda path: config.load(path, environ={}), ".toml"),
    ),
    "tag lists": Target(
        inputs=texts(*_TAG_LINES).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=60),
        read=lambda content: read_tag_file(content, "a.csv"),
    ),
    "custom ids": Target(inputs=IDS, read=read_custom_id),
}
