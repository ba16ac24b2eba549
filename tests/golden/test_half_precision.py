"""Half precision: the recorded pictures, near enough not to be told apart."""

import io

import numpy as np
import pytest
import torch
from golden_cases import cases
from PIL import Image
from test_images import request_of

from pastelbot.diffusion import checkpoint
from pastelbot.diffusion.engine import paint

DECIBELS = 35
CASES = {case["name"]: case for case in cases("images.json")}
CUDA = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.mark.parametrize(
    ("name", "device"),
    [("basic", "cpu"), pytest.param("basic", "cuda", marks=CUDA), pytest.param("hr_card_analog", "cuda", marks=CUDA)],
)
def test_half_precision_paints_the_recorded_picture(golden, tiny_sd, name, device):
    """At least 35 dB of peak signal to noise against the recording in full precision."""
    if name not in CASES:
        pytest.skip(f"{golden} has no case {name}")
    case = CASES[name]
    torch.set_num_threads(1)
    half = checkpoint.load(str(tiny_sd), device=device, precision="fp16")

    pictures = paint(half, request_of(case))

    for picture, file in zip(pictures, case["png"], strict=True):
        mine = np.asarray(Image.open(io.BytesIO(picture.png))).astype(float)
        theirs = np.asarray(Image.open(golden / file).convert("RGB")).astype(float)
        error = max(((mine - theirs) ** 2).mean(), 1e-9)
        assert 10 * np.log10(255**2 / error) >= DECIBELS
