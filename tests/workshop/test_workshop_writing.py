"""Files are written whole or not at all."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from helpers.small_checkpoints import make_checkpoint, save
from safetensors import safe_open
from safetensors.torch import load_file

from pastelbot.diffusion.weights.tensor_sources import MemorySource, SafetensorsSource
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.workshop import writing
from pastelbot.workshop.writing import write

TENSORS = {**make_checkpoint(dtype=torch.float16), "empty": torch.zeros(0, 3), "one": torch.tensor(7)}


class Breaking(MemorySource):
    """A source that fails in the middle."""

    def read(self, name):
        if name == sorted(self.entries)[3]:
            raise KeyboardInterrupt
        return super().read(name)


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_what_was_read(tmp_path):
    """By the format's own reader, with metadata; progress ends at the end."""
    out, heard = tmp_path / "out.safetensors", []
    write(MemorySource(TENSORS, "x"), out, metadata={"key": "value"}, progress=lambda *event: heard.append(event))

    found = load_file(out)
    assert TENSORS.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in TENSORS.items())
    with safe_open(out, "pt") as file:
        assert {"format": "pt", "key": "value"} == file.metadata()
    assert heard[-1][1] == heard[-1][2] > 0
    assert ["out.safetensors"] == leftovers(tmp_path)


def test_own_reader_reads_what_the_format_allows(tmp_path):
    """All number formats, any alignment."""
    dtypes = (torch.int8, torch.bool, torch.bfloat16, torch.float8_e4m3fn, torch.float64, torch.int32)
    tensors = {f"{dtype}.x": torch.ones(3).to(dtype) for dtype in dtypes}
    source = SafetensorsSource(save(tensors, tmp_path / "x.safetensors"))

    assert all(torch.equal(tensor.double(), source.read(name).double()) for name, tensor in tensors.items())


def test_failure_in_the_middle_leaves_nothing(tmp_path):
    """And a file that was there before stays as it was."""
    out = tmp_path / "out.safetensors"
    for before in (None, b"precious"):
        if before:
            out.write_bytes(before)
        with pytest.raises(KeyboardInterrupt):
            write(Breaking(TENSORS, "x"), out)

        assert ([out.name] if before else []) == leftovers(tmp_path)
        assert not before or before == out.read_bytes()


KILLED = """
import os, signal, sys, torch
from pathlib import Path
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.workshop.writing import write

def progress(_what, done, total):
    if done * 2 > total:
        os.kill(os.getpid(), signal.SIGKILL)

write(MemorySource({f"{n}.x": torch.ones(100_000) for n in range(10)}, "x"), Path(sys.argv[1]), progress=progress)
"""


def test_kill_in_the_middle_leaves_no_half_file_under_the_name(tmp_path):
    """Only the temporary one, whose name does not matter."""
    out = tmp_path / "out.safetensors"
    done = subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False)

    assert done.returncode < 0
    assert not out.exists()
    assert all(name.endswith(".part") for name in leftovers(tmp_path))


def test_too_little_space_is_an_error_before_anything_is_written(tmp_path, monkeypatch):
    """How much is needed, and how much there is."""
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(WorkshopError, match=r"needs 0\.\d+ MB, but only 0\.0 MB are free"):
        write(MemorySource(TENSORS, "x"), tmp_path / "out.safetensors")

    assert leftovers(tmp_path) == []


def test_output_is_never_an_input(tmp_path):
    """Not under another name either."""
    path = save(TENSORS, tmp_path / "in.safetensors")
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    before = path.read_bytes()
    for out in (path, link, tmp_path / "." / "in.safetensors"):
        with pytest.raises(WorkshopError, match="is one of the inputs"):
            write(SafetensorsSource(path), out, inputs=[path])

    assert before == path.read_bytes()


@pytest.mark.parametrize(("name", "words"), [("nowhere/out.safetensors", "does not exist"), ("", "is a folder")])
def test_impossible_outputs_are_refused(tmp_path, name, words):
    """Before anything is read."""
    with pytest.raises(WorkshopError, match=words):
        write(Breaking(TENSORS, "x"), tmp_path / name)


@pytest.mark.parametrize("kept", [4, 300, -1])
def test_truncated_input_is_named(tmp_path, kept):
    """In the header, or behind it."""
    path = save(TENSORS, tmp_path / "half.safetensors")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"half\.safetensors is (damaged|cut short)"):
        SafetensorsSource(path)


def test_input_that_shrinks_meanwhile_is_named(tmp_path):
    """Another program's download, for example."""
    path = save(TENSORS, tmp_path / "in.safetensors")
    source = SafetensorsSource(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="became shorter"):
        write(source, tmp_path / "out.safetensors")

    assert ["in.safetensors"] == leftovers(tmp_path)
