"""Small checkpoints as files, and one thread."""

import shutil

import pytest
from helpers.small_checkpoints import make_checkpoint, make_lora, save


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def files(tmp_path):
    """Return a function that writes small checkpoints, each with numbers of its own, and returns their paths."""

    def write(*names, **changes):
        return [
            save(make_checkpoint(seed=seed, **changes), tmp_path / f"{name}.safetensors")
            for seed, name in enumerate(names, start=1)
        ]

    return write


@pytest.fixture(scope="session")
def recipe_files(tmp_path_factory):
    """Return a folder with small checkpoints a, b and c in half precision, and two LoRAs; tests get copies of it."""
    import torch

    folder = tmp_path_factory.mktemp("recipe-files")
    for seed, name in enumerate("abc", start=1):
        save(make_checkpoint(seed=seed, dtype=torch.float16), folder / f"{name}.safetensors")
    for seed in (1, 2):
        save(make_lora(seed=seed, rank=3), folder / f"lora{seed}.safetensors")
    return folder


@pytest.fixture
def recipe_folder(recipe_files, tmp_path):
    """Return a copy of these files in a folder of the test's own."""
    return shutil.copytree(recipe_files, tmp_path, dirs_exist_ok=True)
