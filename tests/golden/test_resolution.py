"""The sizes of the hires fix."""

import pytest
from golden_cases import cases

from pastelbot.records import HiresFix
from pastelbot.rules.hires import hires_size


@pytest.mark.parametrize(
    "case",
    cases("resolution.json"),
    ids="{width}x{height} to {hr_resize_x}x{hr_resize_y} or x{hr_scale}".format_map,
)
def test_target_and_crop_equal_the_recorded_ones(case):
    """The upscaled size, what is cut off and what is kept are the webui's."""
    fix = HiresFix(width=case["hr_resize_x"], height=case["hr_resize_y"], scale=case["hr_scale"])

    size = hires_size(case["width"], case["height"], fix)

    assert (size.width, size.height) == (case["hr_upscale_to_x"], case["hr_upscale_to_y"])
    assert (size.truncate_x, size.truncate_y) == (case["truncate_x"], case["truncate_y"])
    assert list(size.upscaled_cells) == case["upscaled_latent_hw"]
    assert list(size.crop) == case["crop"]
