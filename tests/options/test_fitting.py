"""Sizes that fit a checkpoint."""

import pytest

from pastelbot.config import Settings, bundled
from pastelbot.options.fitting import fitted, is_far_off
from pastelbot.records import GenerationRequest, HiresFix

SQUARE = Settings(sizes={"square": {"first": "512x512", "hires": "1024x1024"}}, defaults={"size": "square"})


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
        (bundled(), (64, 256), True),
        (bundled(), (256, 64), True),
        (bundled(), (128, 256), False),
        (bundled(), (256, 112), False),
        (Settings(), (960, 512), False),
        (Settings(), (256, 1024), True),
        (SQUARE, (512, 896), False),
    ],
)
def test_far_off_is_three_times_the_largest_named_size_or_far_longer_than_the_longest(settings, size, far):
    assert far == is_far_off(request(*size), settings)


def test_other_checkpoints_have_sizes_of_their_own():
    assert not is_far_off(request(448, 640, checkpoint="other"), bundled())


@pytest.mark.parametrize(
    ("size", "first", "hires"),
    [
        ((448, 640), (128, 192), (256, 384)),
        ((64, 256), (128, 192), (256, 384)),
        ((640, 448), (192, 128), (384, 256)),
        ((900, 880), (128, 128), (256, 256)),
    ],
)
def test_the_shape_is_kept_as_far_as_there_is_a_size_for_it(size, first, hires):
    found = fitted(request(*size, hires=HiresFix(width=960, height=1280)), bundled())

    assert (first, hires) == ((found.width, found.height), (found.hires.width, found.hires.height))
    assert fitted(request(*size), bundled()).hires is None
