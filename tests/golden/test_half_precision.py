"""Half precision: the recorded pictures, near enough to look the same."""

import io

import numpy as np
import pytest
import torch
from golden_requests import reached, request_of
from helpers.painting import paint
from PIL import Image

from pastelbot.diffusion.checkpoint import loading

DECIBELS = 35
CASES = reached("images.json")
SMALLEST = min(CASES, key=lambda case: (bool(case["settings"].get("enable_hr")), case["settings"]["steps"]), default={})
CUDA = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.mark.parametrize(
    ("case", "device"),
    [
        pytest.param(SMALLEST, "cpu", marks=pytest.mark.skipif(not SMALLEST, reason="no pictures are recorded")),
        *(pytest.param(case, "cuda", marks=CUDA) for case in CASES),
    ],
    ids=lambda value: value if isinstance(value, str) else value.get("name"),
)
def test_half_precision_paints_the_recorded_picture(golden, tiny_sd, case, device):
    """At least 35 dB of peak signal to noise against the recording in full precision."""
    torch.set_num_threads(1)
    half = loading.load(str(tiny_sd), device=device, precision="fp16")

    pictures = paint(half, request_of(case))

    for picture, file in zip(pictures, case["png"], strict=True):
        mine = np.asarray(Image.open(io.BytesIO(picture.png))).astype(float)
        theirs = np.asarray(Image.open(golden / file).convert("RGB")).astype(float)
        error = max(((mine - theirs) ** 2).mean(), 1e-9)
        assert 10 * np.log10(255**2 / error) >= DECIBELS
