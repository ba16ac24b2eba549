"""The recordings of the webui, and the small model that they were made with.

Any folder of the same form must pass the same tests: they are driven by its files alone (see golden_cases.py).
"""

import json
from pathlib import Path

import pytest
from golden_cases import folder, followed


@pytest.fixture(scope="session")
def golden() -> Path:
    """Return the folder of recordings, or skip the test with the reason."""
    found = folder()
    if found is None:
        pytest.skip("no recordings: PASTELBOT_GOLDEN names a folder without any")
    return found


@pytest.fixture(scope="session")
def recorded(golden):
    """Return a function that reads one JSON file of the recordings, or skips where this folder lacks it."""

    def read(name):
        path = golden / name
        if not path.exists():
            pytest.skip(f"{golden} has no {name}")
        return json.loads(path.read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def tensors(golden):
    """Return a function that reads one safetensors file of the recordings, or skips where this folder lacks it."""
    from safetensors.torch import load_file

    def read(name):
        path = golden / name
        if not path.exists():
            pytest.skip(f"{golden} has no {name}")
        return load_file(path)

    return read


@pytest.fixture(scope="session")
def tiny_sd(golden):
    """Return the folder of the recordings' model."""
    path = followed(golden / "tiny-sd")
    if not path.exists():
        pytest.skip(f"{golden} has no tiny-sd")
    return path


@pytest.fixture(scope="session")
def tokenizer(tiny_sd):
    """Return the model's tokenizer; a trimmed folder leaves it out, since the bundled checkpoint has the same."""
    from pastelbot.config import bundled_checkpoint
    from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer

    for path in (tiny_sd / "tokenizer", bundled_checkpoint() / "tokenizer"):
        if path.is_dir():
            return ClipTokenizer.from_folder(path)
    pytest.skip(f"{tiny_sd} has no tokenizer, nor has the bundled checkpoint")


@pytest.fixture(scope="session")
def text_encoder(tiny_sd):
    """Return the model's text encoder in float32."""
    import torch
    from transformers import CLIPTextModel

    torch.set_num_threads(1)
    return CLIPTextModel.from_pretrained(tiny_sd / "text_encoder", dtype=torch.float32).eval()
