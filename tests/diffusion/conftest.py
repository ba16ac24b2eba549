"""A small checkpoint for tests of the engine: the bundled one."""

from pathlib import Path

import pytest

import pastelbot

BUNDLED = Path(pastelbot.__file__).parent / "data" / "checkpoint"


@pytest.fixture(scope="session")
def bundled():
    """Return the bundled checkpoint's folder."""
    if not (BUNDLED / "model_index.json").exists():
        pytest.skip("the bundled checkpoint is not there")
    return BUNDLED


@pytest.fixture(scope="session")
def small(bundled):
    """Return the bundled checkpoint in float32 on the CPU, with one thread."""
    import torch

    from pastelbot.diffusion.checkpoint import loading

    torch.set_num_threads(1)
    return loading.load(str(bundled), device="cpu")
