"""Recorded resizing: the modes of img2img to the level, pixel upscalers and upscaler models to rounding."""

import numpy as np
import pytest
import torch
from golden_cases import cases
from PIL import Image
from rrdb import load_rrdb

from pastelbot.choices import PIXEL_UPSCALERS, RESIZE_MODES
from pastelbot.diffusion.image.hires import upscale_pixels
from pastelbot.diffusion.image.upscalers import Upscalers
from pastelbot.formats.init_pictures import fitted
from pastelbot.formats.resizing import resized
from pastelbot.records import InitImage
from pastelbot.rules.hires import HiresSize

UPSCALED_SHARE = 0.001


def picture(path):
    with Image.open(path) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("case", cases("resize.json"), ids=lambda case: case["result"])
def test_pictures_are_resized_to_the_recorded_levels(golden, case):
    init = InitImage.of((golden / case["init"]).read_bytes(), resize_mode=RESIZE_MODES[case["resize_mode"]])

    mine = fitted(init, (case["width"], case["height"]))

    assert np.array_equal(np.asarray(mine), np.asarray(picture(golden / case["result"])))


@pytest.mark.parametrize("case", cases("upscale.json"), ids=lambda case: case["result"])
def test_pictures_are_upscaled_to_the_recorded_levels(golden, case):
    torch.set_num_threads(1)
    models = Upscalers(
        golden / "networks" / "ESRGAN",
        torch.device("cpu"),
        tile=case["ESRGAN_tile"],
        overlap=case["ESRGAN_tile_overlap"],
        load=load_rrdb,
    )
    enlarge = None if case["upscaler"] in PIXEL_UPSCALERS else models.enlarge

    size = HiresSize(width=case["width"], height=case["height"])
    mine = upscale_pixels(np.asarray(picture(golden / case["init"])), size, case["upscaler"], enlarge)

    difference = np.abs(mine.astype(int) - np.asarray(picture(golden / case["result"])).astype(int))
    assert difference.max() <= (0 if enlarge is None else 1)
    assert (difference > 0).mean() <= UPSCALED_SHARE


@pytest.mark.parametrize("size", [(30, 90), (90, 30), (30, 30), (90, 90), (64, 30)])
def test_a_picture_is_resized_by_its_width_and_then_by_its_height(size):
    """Written out with Pillow's filter for one side at a time, which all versions of it agree on."""
    levels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    image = Image.fromarray(levels, "RGB")
    lines = [image.crop((0, row, 64, row + 1)).resize((size[0], 1), Image.Resampling.LANCZOS) for row in range(64)]
    wide = Image.fromarray(np.concatenate([np.asarray(line) for line in lines]), "RGB")
    columns = [wide.crop((at, 0, at + 1, 64)).resize((1, size[1]), Image.Resampling.LANCZOS) for at in range(size[0])]

    expected = np.concatenate([np.asarray(column) for column in columns], axis=1)
    assert np.array_equal(np.asarray(resized(image, size)), expected)
