"""img2img: what the picture to start from becomes, and how much of it stays."""

import io

import numpy as np
import pytest
import torch
from helpers.painting import paint
from PIL import Image

from pastelbot.choices import LATENT_RESIZE, RESIZE_MODES
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.image.img2img import prepare_init, resize_latents
from pastelbot.diffusion.networks.vae import from_pixels, to_pixels
from pastelbot.diffusion.sampling.registry import plan_img2img, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas, make_sigmas
from pastelbot.errors import LimitError, RequestError
from pastelbot.records import GenerationRequest, HiresFix, InitImage

REQUEST = GenerationRequest(prompt="1girl", width=64, height=96, steps=8, seed=5, cfg_scale=5.0)


def stripes(width=48, height=32):
    """Return a picture file: red at the left and right edge, green at the top and bottom, blue in the middle."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("lime", (0, 0, width, 4))
    image.paste("lime", (0, height - 4, width, height))
    image.paste("red", (0, 0, 4, height))
    image.paste("red", (width - 4, 0, width, height))
    return as_png(image)


def as_png(image):
    """Return a picture's file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def resized(mode, size, content=None):
    """Return the pixels after a resize mode."""
    return prepare_init(InitImage.of(content or stripes(), resize_mode=mode), size).pixels


def smooth():
    """Return a file of a smooth picture."""
    ramp = np.linspace(60, 200, 96)[:, None, None]
    return as_png(Image.fromarray(np.broadcast_to(ramp, (96, 64, 3)).astype(np.uint8)))


def levels(picture):
    """Return a picture's pixels."""
    return np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)


@pytest.mark.parametrize("mode", RESIZE_MODES[:3])
@pytest.mark.parametrize("size", [(64, 96), (96, 64), (48, 32), (8, 200), (33, 47)])
def test_every_mode_gives_exactly_the_size(mode, size):
    assert (size[1], size[0], 3) == resized(mode, size).shape


@pytest.mark.parametrize("mode", RESIZE_MODES)
def test_a_picture_of_the_size_stays_as_it_is(mode):
    expected = np.asarray(Image.open(io.BytesIO(stripes())))

    assert (expected == resized(mode, (48, 32))).all()


def test_just_resize_keeps_all_four_edges():
    pixels = resized("Just resize", (48, 64))

    assert [255, 0, 0] == pixels[32, 0].tolist() == pixels[32, -1].tolist()
    assert [0, 255, 0] == pixels[0, 24].tolist() == pixels[-1, 24].tolist()


def test_crop_loses_the_edges_that_stand_out():
    """A wide picture made square keeps top and bottom alone."""
    pixels = resized("Crop and resize", (64, 64))

    assert [0, 255, 0] == pixels[0, 0].tolist() == pixels[-1, -1].tolist()
    assert [0, 0, 255] == pixels[32, 0].tolist() == pixels[32, -1].tolist()


def test_fill_repeats_the_edges_over_what_is_missing():
    """A wide picture made square has its top and bottom lines stretched."""
    pixels = resized("Resize and fill", (96, 96))

    assert [0, 255, 0] == pixels[0, 48].tolist() == pixels[10, 48].tolist() == pixels[-1, 48].tolist()
    assert [255, 0, 0] == pixels[0, 0].tolist() == pixels[-1, -1].tolist()
    assert [0, 0, 255] == pixels[48, 48].tolist()
    sideways = resized("Resize and fill", (96, 32))
    assert [255, 0, 0] == sideways[16, 0].tolist() == sideways[16, 20].tolist() == sideways[16, -1].tolist()


def test_latent_resize_leaves_the_pixels_and_resizes_the_latents():
    assert (32, 48, 3) == resized(LATENT_RESIZE, (64, 96)).shape
    assert (4, 12, 8) == tuple(resize_latents(torch.zeros(4, 4, 6), 12, 8).shape)


@pytest.mark.parametrize(
    ("steps", "strength", "run"), [(20, 0.75, 16), (20, 0.6, 13), (20, 1.0, 20), (20, 0.0, 1), (33, 0.5, 17)]
)
def test_strength_decides_how_much_of_the_schedule_runs(steps, strength, run):
    """The webui runs int(strength * steps) steps and one more."""
    model = ModelSigmas.scaled_linear()
    plan = plan_img2img(*resolve("DPM++ 2M", "Karras"), model, steps, strength)

    assert run == plan.calls
    assert make_sigmas("Karras", model, steps)[-run - 1 :] == list(plan.sigmas)


@pytest.mark.parametrize("mode", RESIZE_MODES)
def test_no_strength_gives_the_picture_back_but_for_the_vae(small, mode):
    init = InitImage.of(smooth(), denoising_strength=0, resize_mode=mode)
    (picture,) = paint(small, REQUEST.replace(init=init))

    with torch.inference_mode():
        latents = small.vae.encode(from_pixels(prepare_init(init, (64, 96)).pixels), torch.zeros(4, 12, 8))
        expected = to_pixels(small.vae.decode(latents)).astype(int)
    assert (96, 64, 3) == levels(picture).shape
    assert np.abs(expected - levels(picture)).mean() < 6


def test_more_strength_goes_further_from_the_picture(small):
    steps = [0.0, 0.4, 0.9]
    painted = [
        levels(paint(small, REQUEST.replace(init=InitImage.of(smooth(), denoising_strength=strength)))[0])
        for strength in steps
    ]
    original = np.asarray(Image.open(io.BytesIO(smooth()))).astype(int)
    distances = [np.abs(original - pixels).mean() for pixels in painted]

    assert sorted(distances) == distances


def test_same_request_gives_the_same_bytes_alone_and_beside_another(small):
    request = REQUEST.replace(init=InitImage.of(smooth(), denoising_strength=0.5))
    first, second = paint(small, request.replace(count=2))

    assert [(first, second)] == [paint(small, request.replace(count=2))]
    assert np.abs(levels(first) - levels(paint(small, request)[0])).max() <= 1
    assert np.abs(levels(second) - levels(paint(small, request.replace(seed=6))[0])).max() <= 1
    assert "Denoising strength: 0.5" in first.infotext


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ SDE", "DDIM", "UniPC", "LCM"])
def test_every_kind_of_sampler_starts_from_a_picture(small, sampler):
    request = REQUEST.replace(
        sampler=sampler, schedule="Automatic", init=InitImage.of(smooth(), denoising_strength=0.5)
    )

    assert (96, 64, 3) == levels(paint(small, request)[0]).shape


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"init": InitImage.of(b"no picture")}, RequestError, "PNG, JPEG or WebP"),
        ({"init": InitImage.of(stripes(), resize_mode="Crop")}, LimitError, "Crop and resize"),
        ({"init": InitImage.of(stripes(), denoising_strength=1.5)}, LimitError, "0 to 1"),
        ({"init": InitImage.of(stripes()), "hires": HiresFix()}, LimitError, "hires fix"),
    ],
)
def test_what_cannot_be_started_from_is_refused(small, changes, error, words):
    engine = Engine(small)
    with pytest.raises(error, match=words):
        engine.admit("a", REQUEST.replace(**changes))
    assert engine.idle
