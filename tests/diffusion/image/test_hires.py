"""Upscaling of latents and pixels."""

import numpy as np
import pytest
import torch

from pastelbot.choices import LATENT_UPSCALERS
from pastelbot.diffusion.image.hires import check_upscaler, cut_latents, upscale_latents, upscale_pixels
from pastelbot.diffusion.networks.vae import from_pixels, to_pixels
from pastelbot.errors import LimitError
from pastelbot.rules.hires import HiresSize

SIZE = HiresSize(width=100, height=171, truncate_x=1, truncate_y=5)


@pytest.mark.parametrize("name", LATENT_UPSCALERS)
def test_latents_get_the_size_and_lose_the_margins(name):
    """Constant latents stay constant; the odd cell is cut off at the end."""
    latents = torch.full((4, 8, 6), 0.5)
    upscaled = upscale_latents(latents, SIZE, name)

    assert tuple(upscaled.shape) == (4, 21, 12)
    torch.testing.assert_close(cut_latents(upscaled, SIZE), torch.full((4, 16, 11), 0.5))
    assert SIZE.crop == (2, 18, 0, 11)
    assert SIZE.picture == (88, 128)


@pytest.mark.parametrize("name", ["Lanczos", "Nearest", "None"])
def test_pixels_get_exactly_the_size(name):
    """Also where it is no multiple of a latent cell."""
    pixels = np.full((64, 48, 3), 130, np.uint8)

    upscaled = upscale_pixels(pixels, SIZE, name)
    assert upscaled.shape == (171, 100, 3)
    assert (upscaled == 130).all()


def test_unknown_upscaler_names_the_nearest():
    """A slip of a key is recognised."""
    with pytest.raises(LimitError, match="Lanczos"):
        check_upscaler("Lancsoz")


def test_levels_are_truncated_and_clamped():
    """0.999 of a level is lost, and nothing wraps around."""
    image = torch.tensor([-5.0, -1.0, 0.0, 0.999, 1.0, 7.0]).expand(3, 1, 6)

    assert to_pixels(image)[0, :, 0].tolist() == [0, 0, 127, 254, 255, 255]
    assert to_pixels(image).shape == (1, 6, 3)


def test_pixels_go_both_ways():
    """White is 1, black is -1."""
    pixels = np.array([[[0, 255, 51]]], np.uint8)

    torch.testing.assert_close(from_pixels(pixels).flatten(), torch.tensor([-1.0, 1.0, -0.6]))
