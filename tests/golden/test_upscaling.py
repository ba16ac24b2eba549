"""Pictures that a set has recorded on their way into the encoder: what it makes of them, and what they are made of."""

import pytest
import torch
from golden_cases import cases, folder
from golden_requests import request_of
from test_images import LATENTS_MAX, LATENTS_MEAN
from upscaling import RecordedCase, Upscaling, goes_through_pixels

from pastelbot.choices import PIXEL_UPSCALERS
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.networks.vae import from_pixels
from pastelbot.rules.hires import hires_size

ENCODED = [
    RecordedCase(folder=folder(), tensors=f"{file}.safetensors", case=case)
    for file in ("images", "images_more")
    for case in cases(f"{file}.json")
    if "encoded" in case
]
UPSCALED = [
    recorded
    for recorded in ENCODED
    if "before_upscale" in recorded.case and recorded.case["settings"].get("hr_upscaler") in PIXEL_UPSCALERS
]


@pytest.fixture(scope="module")
def vae(tiny_sd):
    torch.set_num_threads(1)
    return loading.load(str(tiny_sd), device="cpu", precision="fp32").vae


@pytest.mark.parametrize("recorded", ENCODED, ids=lambda recorded: recorded.case["name"])
def test_recorded_pictures_are_encoded_as_recorded(vae, recorded):
    """Of img2img and of the hires fix alike: mean and noise of the posterior, scaled."""
    name = "init" if recorded.case.get("kind") == "img2img" else "hr_encode"
    mean, deviation, noise = (recorded.tensor(f"{name}_{part}", 0) for part in ("mean", "std", "noise"))
    if mean is None:
        pytest.skip(f"the set has no {name}_mean of this case")

    with torch.inference_mode():
        latents = vae.encode(from_pixels(recorded.picture("encoded", 0)), noise)

    difference = (latents - (mean + deviation * noise) * 0.18215).abs()
    assert difference.max().item() <= LATENTS_MAX
    assert difference.mean().item() <= LATENTS_MEAN


@pytest.mark.parametrize("recorded", UPSCALED, ids=lambda recorded: recorded.case["name"])
def test_recorded_pictures_are_upscaled_to_the_level(vae, recorded):
    """Pillow computes in whole numbers: no value may be off."""
    request = request_of(recorded.case)
    size = hires_size(request.width, request.height, request.hires)
    way = Upscaling(vae=vae, size=size, upscaler=request.hires.upscaler, noise=recorded.tensor("hr_encode_noise", 0))

    assert goes_through_pixels(request)
    assert (recorded.picture("encoded", 0) == way.upscale(recorded.picture("before_upscale", 0))).all()
    difference = (way.encode(recorded.picture("encoded", 0)) - recorded.tensor("hr_input_latents", 0)).abs()
    assert difference.max().item() <= LATENTS_MAX
    assert difference.mean().item() <= LATENTS_MEAN
