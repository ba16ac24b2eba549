"""Pickled checkpoints: what is plain is read, what is left over from training is ignored, the rest is refused."""

import pickle
import sys
import tarfile
import types

import pytest
import torch

from pastelbot.diffusion.weights.pickles import read_pickled
from pastelbot.errors import CheckpointError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.weight": torch.ones(2).half()}


@pytest.fixture
def lightning(monkeypatch):
    """Return a class as training programs leave it in checkpoints, importable only while they are saved."""
    module = types.ModuleType("pytorch_lightning.callbacks")
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks"):
        monkeypatch.setitem(sys.modules, name, module)
    kind = type("ModelCheckpoint", (), {"__module__": "pytorch_lightning.callbacks"})
    module.ModelCheckpoint = kind
    return kind


@pytest.mark.parametrize("wrapped", ["state_dict", "params_ema", "params", None])
@pytest.mark.parametrize("legacy", [True, False])
def test_plain_tensors_are_read(tmp_path, wrapped, legacy):
    """In a state_dict, as upscalers have them or plain, in the old file format or the new one."""
    path = tmp_path / "model.ckpt"
    content = {wrapped: TENSORS, "global_step": 7} if wrapped else TENSORS
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)

    assert_tensors(read_pickled(path))


def test_leftovers_of_training_are_ignored(tmp_path, lightning, monkeypatch):
    """They are neither imported nor called."""
    callback = lightning()
    callback.best = 3
    path = tmp_path / "old.ckpt"
    torch.save({"state_dict": TENSORS, "callbacks": {lightning: {"best": 1}}, "last": callback}, path)
    monkeypatch.delitem(sys.modules, "pytorch_lightning.callbacks")

    assert_tensors(read_pickled(path))


class Evil:
    """Runs a program when it is unpickled by a reader that allows it."""

    def __reduce__(self):
        """Ask for the program."""
        return (exec, ("raise SystemExit('it ran')",))


def test_program_in_a_checkpoint_is_refused_by_name(tmp_path):
    """It is not run, and the error says what it was."""
    path = tmp_path / "evil.ckpt"
    torch.save({"state_dict": TENSORS, "extra": Evil()}, path)

    with pytest.raises(CheckpointError, match=r"builtins\.exec.*safetensors"):
        read_pickled(path)


@pytest.mark.parametrize("write", ["legacy", "protocol 4", "raw"])
def test_program_in_any_form_of_pickle_is_named(tmp_path, write, capfd):
    """In PyTorch's first form, in a pickle that is no file of PyTorch, and in newer protocols."""
    path = tmp_path / "evil.ckpt"
    content = {"state_dict": TENSORS, "extra": Evil()}
    if write == "legacy":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    elif write == "protocol 4":
        torch.save(content, path, pickle_protocol=4)
    else:
        path.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=4))

    with pytest.raises(CheckpointError, match=r"builtin(s|__)\.exec, which weights do not need"):
        read_pickled(path)
    assert capfd.readouterr() == ("", "")


def test_leftovers_in_the_first_form_are_ignored(tmp_path, lightning, monkeypatch):
    path = tmp_path / "old.ckpt"
    torch.save(
        {"state_dict": TENSORS, "callbacks": {lightning: 1}, "last": lightning()},
        path,
        _use_new_zipfile_serialization=False,
    )
    monkeypatch.delitem(sys.modules, "pytorch_lightning.callbacks")

    assert_tensors(read_pickled(path))


def tar(path):
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "pickle")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_bytes(b"<!DOCTYPE html>"), "it is not a PyTorch file"),
        (tar, "form of 2017"),
    ],
)
def test_what_is_no_pickle_is_refused(tmp_path, write, words):
    write(tmp_path / "a.ckpt")

    with pytest.raises(CheckpointError, match=words):
        read_pickled(tmp_path / "a.ckpt")


def test_damaged_file_is_one_sentence(tmp_path):
    """Half a download, or something else altogether."""
    path = tmp_path / "half.ckpt"
    path.write_bytes(b"PK\x03\x04 half")

    with pytest.raises(CheckpointError, match=r"half\.ckpt cannot be read"):
        read_pickled(path)


def assert_tensors(found):
    """Compare names and numbers."""
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())
