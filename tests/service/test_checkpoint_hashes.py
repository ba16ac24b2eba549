"""Checkpoints found by the hashes that infotexts name them by."""

import hashlib
import threading

import numpy as np
import pytest
from helpers.support import eventually
from safetensors.numpy import save_file

from pastelbot.formats.hashes import all_hashes
from pastelbot.service.models.hashes import CheckpointHashes
from pastelbot.store.database import Database
from pastelbot.store.key_values import KeyValueStore


@pytest.fixture
async def memory(settings):
    database = await Database.open(settings.storage.database)
    yield KeyValueStore(database)
    await database.close()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()[:10]


async def test_files_and_folders_are_found_and_remembered(tmp_path, memory):
    """A folder's hash is that of its UNet; a changed file is hashed again."""
    file = write(tmp_path / "a.safetensors", b"one")
    folder = write(tmp_path / "b" / "unet" / "diffusion_pytorch_model.fp16.safetensors", b"two")
    places = {"a": tmp_path / "a.safetensors", "hub": tmp_path / "owner/name", "b": tmp_path / "b"}
    hashes = CheckpointHashes(memory, places)

    assert [await hashes.find(wanted) for wanted in (file, folder, "0" * 10)] == ["a", "b", None]
    again = CheckpointHashes(memory, places, digest=lambda path: pytest.fail(f"{path} was hashed again"))
    assert await again.find(folder) == "b"
    changed = write(tmp_path / "a.safetensors", b"three")
    assert [await hashes.find(wanted) for wanted in (file, changed)] == [None, "a"]


async def test_a_checkpoint_is_found_without_its_header(tmp_path, memory):
    """Civitai's AutoV3 is the hash of the tensors alone, so other metadata do not change it."""
    path = tmp_path / "a.safetensors"
    save_file({"a": np.ones(5, np.float32)}, path, {"title": "changed"})
    whole, body, _old = all_hashes(path)
    hashes = CheckpointHashes(memory, {"a": path})

    assert whole != body
    assert ["a"] * 4 == [await hashes.find(wanted) for wanted in (body[:12], body, whole, whole[:10])]
    assert await hashes.find(body[:11] + "z") is None


async def test_what_takes_long_is_known_the_next_time(tmp_path, memory):
    """Gigabytes are hashed once, in the background."""
    wanted = write(tmp_path / "a.safetensors", b"one")
    calls, go_on = [], threading.Event()

    def slow(path):
        calls.append(path)
        go_on.wait(10)
        return wanted

    hashes = CheckpointHashes(memory, {"a": tmp_path / "a.safetensors"}, patience=0.01, digest=slow)
    assert await hashes.find(wanted) is None
    assert await hashes.find(wanted) is None
    go_on.set()
    assert await eventually(lambda: hashes.find(wanted)) == "a"
    assert len(calls) == 1
