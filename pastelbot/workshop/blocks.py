"""Block weights: which of 25 weights, or the base alpha, merges which tensor.

The blocks are those of the block-weighted merge extension of the webui, which the recipes of 2023 are written for.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pastelbot.errors import WorkshopError
from pastelbot.formats.layout.tables import UNET_PREFIX

_BASE = "BASE"
_BLOCKS = (
    *(f"IN{number:02}" for number in range(12)),
    "M00",
    *(f"OUT{number:02}" for number in range(12)),
)

_NUMBERED = re.compile(r"\.(input|output)_blocks\.(\d+)\.")


@dataclass(frozen=True, kw_only=True)
class BlockWeights:
    """25 weights for IN00 to IN11, M00 and OUT00 to OUT11, and the base alpha for everything else."""

    weights: tuple[float, ...]
    base_alpha: float

    def __post_init__(self) -> None:
        """Raise a WorkshopError unless there are 25 weights."""
        if len(self.weights) != len(_BLOCKS):
            raise WorkshopError(
                f"There are {len(self.weights)} block weights, but {len(_BLOCKS)} are needed: "
                f"IN00 to IN11, M00, OUT00 to OUT11.{self._preset_remark()}"
            )

    def _preset_remark(self) -> str:
        """Return what to do with a preset of supermerger, which has the base alpha in front of the 25."""
        if len(self.weights) != len(_BLOCKS) + 1:
            return ""
        base = f"{self.weights[0]:g}"
        return (
            f" The first of 26 values, as supermerger's presets have them, is the base alpha: give it on its own "
            f"(--base-alpha {base}, or base_alpha = {base} in a recipe), and the other {len(_BLOCKS)} as the weights."
        )

    def of(self, name: str) -> float:
        """Return the weight of a tensor."""
        block = _block_of(name)
        return self.base_alpha if block == _BASE else self.weights[_BLOCKS.index(block)]


def uniform(weight: float) -> BlockWeights:
    """Return the weights of a weighted sum: the same for everything."""
    return BlockWeights(weights=(weight,) * len(_BLOCKS), base_alpha=weight)


def read_weights(weights: Sequence[float] | str, base_alpha: float = 0.0) -> BlockWeights:
    """Read 25 weights, as numbers or as text with commas; raises WorkshopError."""
    if isinstance(weights, str):
        weights = [_number(word) for word in weights.split(",")]
    return BlockWeights(weights=tuple(float(weight) for weight in weights), base_alpha=float(base_alpha))


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise WorkshopError(f"The block weights must be numbers separated by commas: {word.strip()!r} is not.")
    return number


def is_merged(name: str) -> bool:
    """Return whether a tensor takes part in merges; schedules and other leftovers stay those of A."""
    return "model" in name


def _block_of(name: str) -> str:
    """Return one of _BLOCKS or BASE for a tensor's original name."""
    if UNET_PREFIX not in name:
        return _BASE
    if ".time_embed." in name:
        return "IN00"
    if ".out." in name:
        return "OUT11"
    if ".middle_block." in name:
        return "M00"
    numbered = _NUMBERED.search(name)
    if numbered is None:
        return _BASE
    block = f"{'IN' if numbered[1] == 'input' else 'OUT'}{int(numbered[2]):02}"
    return block if block in _BLOCKS else _BASE
