"""The blocks of a merge by the names that recipes give them."""

from pastelbot.workshop.blocks import BlockWeights

BLOCKS = (*(f"IN{number:02}" for number in range(12)), "M00", *(f"OUT{number:02}" for number in range(12)))
_NUMBERS = BlockWeights(weights=tuple(map(float, range(25))), base_alpha=25.0)


def block_of(name):
    """Return the block whose weight counts for a tensor; each block's weight is its number."""
    return (*BLOCKS, "BASE")[int(_NUMBERS.of(name))]
