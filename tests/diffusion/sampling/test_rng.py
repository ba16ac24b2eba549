"""Noise: the stream of each source, and how seeds, subseeds and resizes use it."""

import pytest
import torch

from pastelbot.diffusion.sampling.rng import ImageNoise, NoiseRecipe, make_generator
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest

SHAPE = (4, 16, 8)


def philox(seed):
    return make_generator("NV", seed)


def test_philox_numbers_are_normal_and_never_repeat():
    """Two draws of one seed, and neighbouring seeds, have nothing in common."""
    generator = philox(1)
    draws = [generator.randn((100, 100)), generator.randn((100, 100)), philox(2).randn((100, 100))]

    for draw in draws:
        assert draw.dtype == torch.float32
        assert abs(draw.mean().item()) < 0.05
        assert abs(draw.std().item() - 1) < 0.03
    assert abs(torch.corrcoef(torch.stack([draw.flatten() for draw in draws])).triu(1)).max() < 0.05


def test_philox_element_does_not_depend_on_how_many_follow():
    """Each element has a counter of its own."""
    assert torch.equal(philox(5).randn((50,)), philox(5).randn((80,))[:50])


def test_seeds_over_32_bits_are_taken_whole():
    """The key has two words."""
    assert not torch.equal(philox(7).randn((8,)), philox(7 + (1 << 32)).randn((8,)))


@pytest.mark.parametrize(("source", "same"), [("GPU", "NV"), ("NV", "NV"), ("CPU", "CPU")])
def test_gpu_means_a_graphics_cards_noise(source, same):
    """An infotext that names no source was nearly always painted on an NVIDIA card."""
    assert torch.equal(make_generator(source, 3).randn(SHAPE), make_generator(same, 3).randn(SHAPE))


def test_unknown_source_is_refused():
    """The error names the known ones."""
    with pytest.raises(LimitError, match="NV, CPU, GPU"):
        make_generator("TPU", 1)


def test_later_draws_come_from_the_shifted_seed():
    """The eta noise seed delta moves every draw but the first; without it the stream goes on."""
    shifted, plain = (ImageNoise(NoiseRecipe(seed=5, seed_delta=delta), SHAPE) for delta in (100, 0))
    stream = philox(5)

    assert torch.equal(shifted.draw(), plain.draw())
    assert torch.equal(stream.randn(SHAPE), philox(5).randn(SHAPE))
    assert torch.equal(shifted.draw(), philox(105).randn(SHAPE))
    assert torch.equal(plain.draw(), stream.randn(SHAPE))


@pytest.mark.parametrize(("strength", "seed"), [(0.0, 5), (1.0, 9)])
def test_variation_goes_from_the_seed_to_the_subseed(strength, seed):
    """At the ends of the interpolation there is only one of them."""
    noise = ImageNoise(NoiseRecipe(seed=5, subseed=9, subseed_strength=strength), SHAPE).draw()

    torch.testing.assert_close(noise, philox(seed).randn(SHAPE), atol=1e-5, rtol=0)


def test_interpolation_of_equal_noises_is_that_noise():
    """The angle is zero there, and a division by its sine would be none."""
    noise = ImageNoise(NoiseRecipe(seed=5, subseed=5, subseed_strength=0.3), SHAPE).draw()

    torch.testing.assert_close(noise, philox(5).randn(SHAPE))


@pytest.mark.parametrize(("width", "height"), [(32, 64), (64, 256), (128, 64), (128, 256)])
def test_resize_puts_the_other_sizes_noise_into_the_middle(width, height):
    """The common middle of both sizes is the other size's noise, the rest is this size's."""
    noise = ImageNoise(NoiseRecipe(seed=5, resize_width=width, resize_height=height), SHAPE).draw()
    other = philox(5).randn((4, height // 8, width // 8))
    rows, columns = min(16, height // 8), min(8, width // 8)

    def middle(tensor):
        top, left = (tensor.shape[1] - rows) // 2, (tensor.shape[2] - columns) // 2
        return tensor[:, top : top + rows, left : left + columns]

    assert torch.equal(middle(noise), middle(other))
    if (rows, columns) != (16, 8):
        assert torch.equal(noise[0, 0, 0], philox(5).randn(SHAPE)[0, 0, 0])


def test_recipes_of_a_batch_count_seeds_or_subseeds():
    """Without a variation the seed counts up, with one only the subseed does."""
    request = GenerationRequest(prompt="", seed=10, subseed=20)
    varied = request.replace(subseed_strength=0.5)

    assert [NoiseRecipe.of(request, index).seed for index in range(3)] == [10, 11, 12]
    assert [NoiseRecipe.of(varied, index).seed for index in range(3)] == [10, 10, 10]
    assert [NoiseRecipe.of(varied, index).subseed for index in range(3)] == [20, 21, 22]
