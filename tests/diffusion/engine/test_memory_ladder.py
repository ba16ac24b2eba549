"""Less and less memory: smaller groups, then a VAE in tiles, then a refusal; with an allocator of a fixed size."""

from collections import defaultdict
from contextlib import contextmanager

import pytest
import torch
from helpers.painting import paint

from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.networks.memory import give_back_memory
from pastelbot.records import GenerationRequest, Painted, PaintingFailed

REQUEST = GenerationRequest(prompt="1girl", width=256, height=256, steps=2, seed=5, count=2, cfg_scale=5.0)
SMALL = REQUEST.replace(width=64, height=64, count=1)
CELLS = 32 * 32  # latents of one of its pictures; a call of the UNet for both of them has four rows of these
VAE_SHARE = 3  # the VAE takes as much for a picture as the UNet for so many rows


class Allocator:
    """Refuses what would need more than `limit`, and keeps what it granted."""

    def __init__(self, limit):
        self.limit = limit
        self.granted = defaultdict(set)

    def take(self, network, need):
        if need > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.granted[network].add(need)

    def unet(self, _module, args, _kwargs):
        rows, _channels, height, width = args[0].shape
        self.take("unet", rows * height * width)

    def decoder(self, _module, args):
        self.take("vae", args[0].shape[-2] * args[0].shape[-1] * VAE_SHARE)


@pytest.fixture
def limited(small):
    @contextmanager
    def limited(limit):
        """Give the networks an allocator of that size."""
        allocator = Allocator(limit)
        hooks = (
            small.unet.register_forward_pre_hook(allocator.unet, with_kwargs=True),
            small.vae.model.decoder.register_forward_pre_hook(allocator.decoder),
        )
        try:
            yield allocator
        finally:
            for hook in hooks:
                hook.remove()

    return limited


def last_events(checkpoint, **jobs):
    engine, last = Engine(checkpoint), {}
    for name, request in jobs.items():
        engine.admit(name, request)
    while not engine.idle:
        last |= {event.job_id: event for event in engine.step()}
    return last


@pytest.mark.parametrize(
    ("limit", "rows", "tiled"), [(4 * CELLS, 4, False), (3 * CELLS, 2, False), (2 * CELLS, 2, True), (CELLS, 1, True)]
)
def test_each_rung_paints_both_pictures(small, limited, limit, rows, tiled):
    with limited(limit) as allocator:
        last = last_events(small, large=REQUEST)["large"]

    assert isinstance(last, Painted)
    assert [picture.seed for picture in last.pictures] == [5, 6]
    assert max(allocator.granted["unet"]) == rows * CELLS
    assert (max(allocator.granted["vae"]) < CELLS * VAE_SHARE) == tiled


def test_below_the_last_rung_the_job_is_refused_with_a_size_and_a_small_one_is_painted(small, limited):
    with limited(CELLS - 1):
        last = last_events(small, large=REQUEST, small=SMALL)

    assert isinstance(last["large"], PaintingFailed)
    assert "256x256 does not fit into the memory" in last["large"].reason
    assert "try " in last["large"].reason
    assert isinstance(last["small"], Painted)


def test_memory_that_was_given_back_changes_no_picture(small):
    before = paint(small, SMALL)[0].png
    give_back_memory(small.device)

    assert paint(small, SMALL)[0].png == before
