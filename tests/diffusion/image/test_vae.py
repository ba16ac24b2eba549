"""The autoencoder's way out where precision or memory is short."""

import copy
import types

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it

from pastelbot.diffusion.networks.vae import Vae

CPU = torch.device("cpu")


class FakeVae(torch.nn.Module):
    """Decodes to the mean of the latents; overflows in half precision, runs out of memory without tiles."""

    def __init__(self, *, dtype=torch.float32, overflows=False, needs_tiles=False, never_fits=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, dtype=dtype), requires_grad=False)
        self.config = types.SimpleNamespace(scaling_factor=0.5)
        self.overflows = overflows
        self.needs_tiles = needs_tiles
        self.never_fits = never_fits
        self.tiled = False

    @property
    def dtype(self):
        """Return the format of the weights."""
        return self.weight.dtype

    def enable_tiling(self):
        """Decode in tiles from now on."""
        self.tiled = True

    def disable_tiling(self):
        """Decode at once from now on."""
        self.tiled = False

    def decode(self, latents, return_dict):
        """Return the image in a tuple."""
        assert not return_dict
        assert latents.dtype == self.dtype
        if self.never_fits or (self.needs_tiles and not self.tiled):
            raise torch.OutOfMemoryError("CUDA out of memory")
        image = latents.mean(1, keepdim=True).repeat(1, 3, 8, 8)
        return (image * torch.nan if self.overflows and self.dtype == torch.float16 else image,)


def test_latents_are_unscaled_before_decoding():
    """The image has eight times the size."""
    image = Vae(FakeVae(), CPU).decode(torch.full((4, 2, 3), 0.25))

    assert torch.equal(image, torch.full((3, 16, 24), 0.5))


def test_overflow_in_half_precision_is_decoded_in_full():
    """From then on the VAE stays in float32."""
    model = FakeVae(dtype=torch.float16, overflows=True)
    image = Vae(model, CPU).decode(torch.full((4, 2, 3), 0.25))

    assert torch.equal(image, torch.full((3, 16, 24), 0.5))
    assert model.dtype == torch.float32


def test_short_memory_decodes_in_tiles_once():
    """The next picture is tried at once again."""
    model = FakeVae(needs_tiles=True)

    assert torch.isfinite(Vae(model, CPU).decode(torch.zeros(4, 2, 3))).all()
    assert not model.tiled


def test_too_large_an_image_is_an_error():
    """The engine makes a sentence of it."""
    with pytest.raises(torch.OutOfMemoryError):
        Vae(FakeVae(never_fits=True), CPU).decode(torch.zeros(4, 2, 3))


def test_encoding_and_decoding_come_back_near_the_picture(small):
    """A smooth picture survives the trip through the bundled VAE."""
    ramp = torch.linspace(-0.6, 0.6, 64)
    image = torch.stack([ramp.expand(64, 64), ramp.expand(64, 64).T, torch.zeros(64, 64)])
    with torch.inference_mode():
        latents = small.vae.encode(image, torch.zeros(4, 8, 8))
        back = small.vae.decode(latents)

    assert tuple(latents.shape) == (4, 8, 8)
    assert (back - image).abs().mean().item() < 0.2


class NormVae(torch.nn.Module):
    """Gives back its input normalised, as every layer of a real one begins."""

    dtype = torch.float32
    config = types.SimpleNamespace(scaling_factor=1.0)

    def decode(self, latents, return_dict):
        """Return the features in a tuple."""
        assert not return_dict
        return (F.group_norm(latents, 1),)

    def encode(self, image, return_dict):
        """Return the features as means, with next to no deviation, in a tuple."""
        means = self.decode(image, return_dict)[0]
        return (types.SimpleNamespace(parameters=torch.cat([means, torch.full_like(means, -30.0)], 1)),)


@pytest.mark.parametrize("level", [0.0, 0.9, -1.0])
def test_a_flat_picture_keeps_its_variance(level):
    """In torch's GroupNorm of channels-last tensors on the CPU it is lost."""
    noise = torch.randn(4, 96, 64, generator=torch.Generator().manual_seed(1))
    image, vae = level + 1e-4 * noise, Vae(NormVae(), CPU)
    exact = F.group_norm(image[None].double(), 1)[0]

    torch.testing.assert_close(exact, vae.encode(image, torch.zeros(4, 96, 64)).double(), rtol=0, atol=5e-3)
    torch.testing.assert_close(exact, vae.decode(image).double(), rtol=0, atol=5e-3)


def test_the_bundled_vae_is_as_in_double_precision(small):
    """Both ways, to what float32 can hold."""
    double = copy.deepcopy(small.vae.model).double()
    image = torch.linspace(-1, 1, 64).expand(3, 96, 64)
    with torch.inference_mode():
        latents = small.vae.encode(image, torch.zeros(4, 12, 8)) / double.config.scaling_factor
        exact = double.encode(image[None].double())[0].mean[0]
        decoded = small.vae.decode(latents * double.config.scaling_factor)

        torch.testing.assert_close(exact, latents.double(), rtol=0, atol=1e-4)
        torch.testing.assert_close(double.decode(latents[None].double())[0][0], decoded.double(), rtol=0, atol=1e-4)
