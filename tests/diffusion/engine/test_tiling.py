"""Pictures whose edges continue each other, and what is painted beside them."""

import dataclasses
import io

import numpy as np
import pytest
from helpers.painting import paint
from PIL import Image
from torch import nn

from pastelbot.diffusion.engine.engine import Engine
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest, Painted, SamplingOptions

PLAIN = GenerationRequest(prompt="1girl, red hair", width=64, height=64, steps=3, seed=5, sampler="Euler a")
TILED = PLAIN.replace(sampling=SamplingOptions(tiling=True))


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)


def seam(picture):
    """Return how much the first column and the last one differ, beside columns next to each other."""
    values = pixels(picture)
    return np.abs(values[:, 0] - values[:, -1]).mean() / np.abs(np.diff(values, axis=1)).mean()


def test_a_tiled_pictures_edges_continue_each_other(small):
    (plain,), (tiled,) = paint(small, PLAIN), paint(small, TILED)

    assert seam(tiled) < seam(plain)
    assert "Tiling: True" in tiled.infotext
    assert "Tiling" not in plain.infotext


def test_pictures_beside_a_tiled_one_are_as_they_are_alone(small):
    engine = Engine(small)
    engine.admit("plain", PLAIN)
    engine.admit("tiled", TILED)
    painted = {}
    while not engine.idle:
        painted |= {event.job_id: event.pictures[0] for event in engine.step() if isinstance(event, Painted)}

    assert {"plain": paint(small, PLAIN)[0].png, "tiled": paint(small, TILED)[0].png} == {
        name: picture.png for name, picture in painted.items()
    }


def test_an_exported_checkpoint_cannot_join_edges(small):
    engine = Engine(dataclasses.replace(small, unet=Exported()))

    with pytest.raises(LimitError, match="cannot paint pictures that tile"):
        engine.admit("a", TILED)


class Exported(nn.Module):
    """A UNet without convolutions of its own."""

    dtype = None
