"""Pictures whose edges continue each other, the webui's "Tiling": convolutions see the opposite edge, not black."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


def can_join_edges(network: nn.Module) -> bool:
    """Return whether a network has convolutions of its own, which exported ones have not."""
    return any(isinstance(layer, nn.Conv2d) for layer in network.modules())


def are_edges_joined(network: nn.Module) -> bool:
    """Return whether a network's convolutions see the opposite edge at present."""
    first = next((layer for layer in network.modules() if isinstance(layer, nn.Conv2d)), None)
    return first is not None and first.padding_mode == "circular"


@contextmanager
def edges_joined(network: nn.Module) -> Iterator[None]:
    """Let a network's convolutions see the opposite edge within the block."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        layer.padding_mode = "circular"
    try:
        yield
    finally:
        for layer in layers:
            layer.padding_mode = "zeros"
