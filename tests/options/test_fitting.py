"""Sizes that fit a checkpoint."""

import pytest

from pastelbot.config import Settings, bundled
from pastelbot.options.fitting import fitted, is_far_larger
from pastelbot.records import GenerationRequest, HiresFix


def request(width, height, **options):
    return GenerationRequest(prompt="1girl", width=width, height=height, **options)


@pytest.mark.parametrize(
    ("settings", "size", "far"),
    [
        (Settings(), (448, 640), False),
        (Settings(), (768, 1024), False),
        (Settings(), (1024, 1024), True),
        (Settings(), (64, 64), False),
        (bundled(), (128, 128), False),
        (bundled(), (256, 256), False),
        (bundled(), (448, 640), True),
    ],
)
def test_far_larger_is_three_times_the_largest_named_size(settings, size, far):
    assert far == is_far_larger(request(*size), settings)


def test_other_checkpoints_have_sizes_of_their_own():
    assert not is_far_larger(request(448, 640, checkpoint="other"), bundled())


@pytest.mark.parametrize(
    ("size", "first", "hires"),
    [((448, 640), (128, 192), (256, 384)), ((640, 448), (192, 128), (384, 256)), ((900, 880), (128, 128), (256, 256))],
)
def test_the_shape_is_kept_as_far_as_there_is_a_size_for_it(size, first, hires):
    found = fitted(request(*size, hires=HiresFix(width=960, height=1280)), bundled())

    assert (first, hires) == ((found.width, found.height), (found.hires.width, found.hires.height))
    assert fitted(request(*size), bundled()).hires is None
