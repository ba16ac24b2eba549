"""Files that were damaged, by accident or on purpose, end in one sentence."""

import json
import random
import struct

import pytest
import torch
from helpers.small_checkpoints import make_checkpoint, make_lora, save

from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource, open_file
from pastelbot.errors import CheckpointError


def with_header(path, header, data=b"\0" * 64, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype="F32", shape=(2, 2), offsets=(0, 16)):
    return {"x.weight": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize(
    "header",
    [
        b"[1, 2]",
        b"{",
        b"\xff\xfe",
        {"x": 3},
        {"x": {}},
        entry(dtype="F5"),
        entry(dtype=7),
        entry(dtype=[]),
        entry(shape=(3, 3)),
        entry(shape=(-2, -2)),
        entry(shape=("a", 2)),
        entry(offsets=(-16, 0)),
        entry(offsets=(16, 0)),
        entry(offsets=(0,)),
        entry(offsets=(0, 10**9)),
        entry(offsets=("0", "16")),
        entry() | {"__metadata__": 3},
    ],
)
def test_damaged_headers_are_refused(tmp_path, header):
    """Whatever stands in them."""
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        SafetensorsSource(with_header(tmp_path / "x.safetensors", header))


@pytest.mark.parametrize("length", [0, 2**20, 2**40, 2**63])
def test_wrong_lengths_of_headers_are_refused(tmp_path, length):
    """Without asking for that much memory."""
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        SafetensorsSource(with_header(tmp_path / "x.safetensors", entry(), length=length))


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_refused_or_harmless(tmp_path, seed):
    """A LoRA with some bytes changed anywhere is an error of ours, or other numbers."""
    generator = random.Random(seed)
    path = save(make_lora(), tmp_path / "x.safetensors")
    content = bytearray(path.read_bytes())
    for _flip in range(3):
        content[generator.randrange(len(content) // 2)] = generator.randrange(256)
    path.write_bytes(content)
    try:
        found = [module.load() for module in open_lora(path).modules]
    except CheckpointError as error:
        found = str(error)

    assert found


@pytest.mark.parametrize("seed", range(10))
def test_flipped_bytes_in_pickles_are_refused_or_harmless(tmp_path, seed):
    """The reader in a process of its own says what is wrong."""
    generator = random.Random(seed)
    path = tmp_path / "x.pt"
    torch.save(make_checkpoint(), path)
    content = bytearray(path.read_bytes())
    content[generator.randrange(len(content))] ^= 0x55
    path.write_bytes(content[: generator.choice([len(content), len(content) // 2])])
    try:
        found = open_file(path).entries
    except CheckpointError as error:
        found = str(error)

    assert found
