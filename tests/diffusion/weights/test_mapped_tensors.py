"""Tensors of a safetensors file in mappings of their own: what the file holds, and nothing of it is written to."""

import pytest
import torch
from safetensors.torch import save_file

from pastelbot.diffusion.weights import tensor_sources
from pastelbot.diffusion.weights.files import read_tensors
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource

TENSORS = {
    "a": torch.arange(6, dtype=torch.float16).reshape(2, 3),
    "odd": torch.arange(3, dtype=torch.uint8),
    "b": torch.arange(300_000, dtype=torch.float32).reshape(4, 75, 10, 100),
    "empty": torch.zeros(0, 4),
    "one": torch.tensor(7.5, dtype=torch.bfloat16),
}


@pytest.fixture
def path(tmp_path):
    save_file(TENSORS, tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def test_they_are_those_of_the_file(path):
    found = read_tensors(path)

    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_one_that_does_not_lie_on_its_own_bounds_is_read(path):
    """Other writers need not align them."""
    header, body = b'{"x":{"dtype":"F32","shape":[300000],"data_offsets":[0,1200000]}}', TENSORS["b"].numpy().tobytes()
    odd = header + b" " * ((1 - len(header)) % 4)
    path.write_bytes(len(odd).to_bytes(8, "little") + odd + body)

    assert torch.equal(SafetensorsSource(path).mapped("x"), TENSORS["b"].flatten())


def test_small_ones_take_no_mapping(path, monkeypatch):
    """A process has 65,530 by default; a network has a thousand tensors, and several are loaded."""
    monkeypatch.setattr(tensor_sources.mmap, "mmap", lambda *_args, **_options: pytest.fail("mapped"))

    assert torch.equal(SafetensorsSource(path).mapped("a"), TENSORS["a"])


def test_writing_into_one_changes_no_file(path):
    before = path.read_bytes()
    found = read_tensors(path)
    found["b"].zero_()
    found["a"].mul_(2)

    assert path.read_bytes() == before
    assert float(read_tensors(path)["b"].max()) == 299_999


def test_one_outlives_the_others(path):
    kept = read_tensors(path)["b"]

    assert torch.equal(kept, TENSORS["b"])
