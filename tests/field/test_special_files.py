"""What a shell gives in place of a file, and what is no file, where weights are expected: kind D, neighbours of 13."""

import os
from pathlib import Path

import pytest

from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.weights.files import read_file, read_vae
from pastelbot.diffusion.weights.tensor_sources import open_file
from pastelbot.errors import CheckpointError
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path

READERS = (check_reference, read_file, read_vae, open_file, open_lora, read_embedding)


@pytest.fixture(params=["/dev/null", "/dev/fd", "a pipe behind a link"])
def special(request, tmp_path):
    """Yield a path and what it is; the pipe holds what begins as a checkpoint would."""
    if request.param == "/dev/null":
        yield Path("/dev/null"), "/dev/null is a device"
        return
    to_read, to_write = os.pipe()
    os.write(to_write, (100).to_bytes(8, "little") + b"{")
    path = Path(f"/dev/fd/{to_read}")
    if request.param != "/dev/fd":
        (tmp_path / "a.safetensors").symlink_to(path)
        path = tmp_path / "a.safetensors"
    yield path, f"{path} is a pipe, which has no end of its own"
    os.close(to_read)
    os.close(to_write)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_weights_are_read_from_files_alone(special, reader):
    path, words = special

    with pytest.raises(CheckpointError) as caught:
        reader(str(path) if reader is check_reference else path)
    assert f"{words}, not a file: name a file or a folder." in str(caught.value)


def test_inspect_says_it(special):
    path, words = special

    findings = inspect_path(path)
    assert ([], True) == ([*findings.facts], findings.problems[0].startswith(words))


@pytest.mark.parametrize("option", ["--checkpoint", "--vae"])
def test_painting_is_refused_by_name(option, pastelbot, tiny):
    code, output = pastelbot("imagine", "1girl", "--checkpoint", tiny[1], option, "/dev/null")

    assert (code, "/dev/null is a device, not a file" in output) == (1, True)
