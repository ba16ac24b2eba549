"""Small checkpoints as files, and one thread."""

import pytest
from small import make_checkpoint, save


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
