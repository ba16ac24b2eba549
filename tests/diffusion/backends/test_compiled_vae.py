"""Calls of a VAE that run compiled where they can, and what is left to torch."""

import types

import pytest
import torch

from pastelbot.diffusion.backends.compiled_vae import CompiledVae
from pastelbot.diffusion.networks.seamless import edges_joined
from pastelbot.diffusion.networks.vae import Vae

LATENTS, IMAGE, NOISE = torch.ones(4, 2, 2), torch.ones(3, 16, 16), torch.zeros(4, 2, 2)


class Model(torch.nn.Module):
    """Decodes to ones and encodes to means of one, and counts; `fits`: without tiles."""

    dtype = torch.float32
    config = types.SimpleNamespace(scaling_factor=1.0)

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 1, 1)
        self.calls, self.fits, self.tiled = 0, True, False

    def decode(self, latents, return_dict):
        """Return the image in a tuple."""
        assert not return_dict
        self.calls += 1
        if not self.fits and not self.tiled:
            raise torch.OutOfMemoryError("out of memory")
        return (torch.ones(1, 3, *(8 * side for side in latents.shape[2:])),)

    def encode(self, images, return_dict):
        """Return the means and log variances in a tuple."""
        assert not return_dict
        self.calls += 1
        means = torch.ones(1, 4, *(side // 8 for side in images.shape[2:]))
        return (types.SimpleNamespace(parameters=torch.cat([means, means - 31], 1)),)

    def enable_tiling(self):
        """Decode in tiles."""
        self.tiled = True

    def disable_tiling(self):
        """Decode at once."""
        self.tiled = False


class Compiler:
    """Hands out a function that answers as the model does, times 1.00001."""

    name, tolerance = "fake", 1e-4

    def __init__(self):
        self.buckets = []

    def has(self, _bucket, *, threads):
        assert threads == torch.get_num_threads()
        return False

    def compile(self, bucket, *, threads, unchanged):
        assert unchanged()
        assert threads == torch.get_num_threads()
        self.buckets.append(bucket)

        def answer(given):
            model = Model()
            if bucket.decodes:
                return model.decode(given, return_dict=False)[0] * 1.00001
            return model.encode(given, return_dict=False)[0].parameters * 1.00001

        return answer


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def compiler():
    return Compiler()


@pytest.fixture
def vae(model, compiler):
    vae = Vae(model, torch.device("cpu"))
    vae.compiled = CompiledVae(compiler, start=lambda work: work())
    return vae


def test_a_size_is_compiled_at_its_second_picture_and_answers_from_the_fourth_on(vae, model, compiler):
    images = [vae.decode(LATENTS) for _ in range(6)]

    assert [(bucket.decodes, bucket.size) for bucket in compiler.buckets] == [(True, (1, 4, 2, 2))]
    assert model.calls == 3  # the third one is answered by both
    assert [float(image.max()) > 1 for image in images] == [False] * 3 + [True] * 3


def test_both_halves_are_compiled(vae, model, compiler):
    for _ in range(6):
        latents = vae.encode(IMAGE, NOISE)
        vae.decode(LATENTS)

    assert [bucket.decodes for bucket in compiler.buckets] == [False, True]
    assert model.calls == 6
    assert float(latents.max()) == pytest.approx(1.00001)
    assert vae.compiled.sizes == 2
    assert not vae.compiled.compiling


def test_pictures_that_tile_are_left_to_torch(vae, model, compiler):
    with edges_joined(model):
        for _ in range(6):
            vae.decode(LATENTS)

    assert (model.calls, compiler.buckets) == (6, [])


def test_tiles_of_a_picture_that_memory_is_short_for_are_not_compiled(vae, model, compiler):
    model.fits = False

    for _ in range(3):
        assert torch.equal(vae.decode(LATENTS), torch.ones(3, 16, 16))

    assert [bucket.size for bucket in compiler.buckets] == [(1, 4, 2, 2)]
    assert not model.tiled
