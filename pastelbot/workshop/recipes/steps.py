"""The steps of a recipe: what each operation needs, and how it is read from a table."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pastelbot.choices import nearest_names
from pastelbot.diffusion.checkpoint.devices import PRECISIONS
from pastelbot.errors import RecipeError, WorkshopError
from pastelbot.workshop.blocks import BlockWeights, read_weights, uniform
from pastelbot.workshop.precision import EMA_MODES


@dataclass(frozen=True, kw_only=True)
class LoraUse:
    """One LoRA and its weight."""

    file: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """What all steps have; `precision` is one of PRECISIONS, None for the inputs' own."""

    name: str
    output: str | None = None
    precision: str | None = None

    CHECKPOINTS: ClassVar[tuple[str, ...]] = ()
    GIVES_LORA: ClassVar[bool] = False

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield (key, reference) of the checkpoints that are needed."""
        for key in self.CHECKPOINTS:
            yield key, getattr(self, key)

    def lora_references(self) -> Iterator[tuple[str, str]]:
        """Yield (key, reference) of the LoRAs that are needed."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class BlockMergeStep(Step):
    """A block-weighted merge: A * (1 - weight) + B * weight."""

    a: str
    b: str
    weights: str | tuple[float, ...]
    base_alpha: float = 0.0

    CHECKPOINTS = ("a", "b")

    def block_weights(self) -> BlockWeights:
        """Return the weights; raises WorkshopError unless there are 25."""
        return read_weights(self.weights, self.base_alpha)


@dataclass(frozen=True, kw_only=True)
class WeightedSumStep(Step):
    """A * (1 - weight) + B * weight, everywhere the same weight."""

    a: str
    b: str
    weight: float

    CHECKPOINTS = ("a", "b")

    def block_weights(self) -> BlockWeights:
        """Return the weights."""
        return uniform(self.weight)


@dataclass(frozen=True, kw_only=True)
class AddDifferenceStep(Step):
    """A + (B - C) * weight."""

    a: str
    b: str
    c: str
    weight: float = 1.0

    CHECKPOINTS = ("a", "b", "c")


@dataclass(frozen=True, kw_only=True)
class LoraMergeStep(Step):
    """A checkpoint with LoRAs merged into it."""

    base: str
    loras: tuple[LoraUse, ...]

    CHECKPOINTS = ("base",)

    def lora_references(self) -> Iterator[tuple[str, str]]:
        """Yield (key, reference) of the LoRAs."""
        for number, lora in enumerate(self.loras, start=1):
            yield f"loras[{number}].file", lora.file


@dataclass(frozen=True, kw_only=True)
class LoraExtractStep(Step):
    """A LoRA from the difference of two checkpoints."""

    original: str
    tuned: str
    rank: int
    conv_rank: int | None = None
    clamp: float | None = None
    min_difference: float = 0.01

    CHECKPOINTS = ("original", "tuned")
    GIVES_LORA = True


@dataclass(frozen=True, kw_only=True)
class VaeBakeStep(Step):
    """A checkpoint with another VAE; the VAE is a file, a folder or a hub reference, or an earlier step."""

    base: str
    vae: str

    CHECKPOINTS = ("base", "vae")


@dataclass(frozen=True, kw_only=True)
class ConvertStep(Step):
    """A checkpoint in another precision, without its EMA weights, with them, or made of them."""

    source: str
    ema: str = "drop"

    CHECKPOINTS = ("source",)


_OPERATIONS: Mapping[str, type[Step]] = {
    "block-merge": BlockMergeStep,
    "weighted-sum": WeightedSumStep,
    "add-difference": AddDifferenceStep,
    "lora-merge": LoraMergeStep,
    "lora-extract": LoraExtractStep,
    "vae-bake": VaeBakeStep,
    "convert": ConvertStep,
}


def read_step(name: str, table: object) -> Step:
    """Read a step from its table; raises a RecipeError that names the step, the key and the nearest valid one."""
    if not isinstance(table, dict):
        raise RecipeError(f"Step {name!r} is not a table with an operation.")
    values = dict(table)
    operation = values.pop("operation", None)
    if operation is None:
        raise RecipeError(f"Step {name!r} lacks the key 'operation', one of {', '.join(_OPERATIONS)}.")
    kind = _OPERATIONS.get(operation) if isinstance(operation, str) else None
    if kind is None:
        near = nearest_names(str(operation), [*_OPERATIONS])
        raise RecipeError(f"Step {name!r}, key 'operation': there is no {operation!r}. {near}")
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name != "name"}
    for key in values:
        if key not in fields:
            raise RecipeError(f"Step {name!r} has the unknown key {key!r}. {nearest_names(key, [*fields])}")
    for key, field in fields.items():
        if key not in values and field.default is dataclasses.MISSING:
            raise RecipeError(f"Step {name!r} lacks the key {key!r}, which {operation!r} needs.")
    read: dict[str, Any] = {key: _read_value(name, key, value) for key, value in values.items()}
    step = kind(name=name, **read)
    if isinstance(step, BlockMergeStep):
        _check_weights(step)
    return step


def _check_weights(step: BlockMergeStep) -> None:
    try:
        step.block_weights()
    except WorkshopError as error:
        raise RecipeError(f"Step {step.name!r}, key 'weights': {error}") from error


def _read_value(step: str, key: str, value: object) -> object:
    return _READERS.get(key, _text)(f"Step {step!r}, key {key!r}", value)


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise RecipeError(f"{where}: {value!r} is not text.")
    return value


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RecipeError(f"{where}: {value!r} is not a number.")
    return float(value)


def _whole(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RecipeError(f"{where}: {value!r} is not a whole number of 1 or more.")
    return value


def _one_of(known: Sequence[str]) -> Callable[[str, object], str]:
    def read(where: str, value: object) -> str:
        text = _text(where, value)
        if text not in known:
            raise RecipeError(f"{where}: there is no {text!r}. {nearest_names(text, known)}")
        return text

    return read


def _weights(where: str, value: object) -> str | tuple[float, ...]:
    if isinstance(value, list):
        return tuple(_number(where, item) for item in value)
    return _text(where, value)


def _loras(where: str, value: object) -> tuple[LoraUse, ...]:
    if not isinstance(value, list) or not value:
        raise RecipeError(f"{where}: a list of tables with 'file' and 'weight' is needed.")
    return tuple(_lora(f"{where}, entry {number}", item) for number, item in enumerate(value, start=1))


def _lora(where: str, item: object) -> LoraUse:
    if not isinstance(item, dict):
        raise RecipeError(f"{where}: {item!r} is not a table with 'file' and 'weight'.")
    for key in item:
        if key not in ("file", "weight"):
            raise RecipeError(f"{where} has the unknown key {key!r}. {nearest_names(str(key), ['file', 'weight'])}")
    if "file" not in item:
        raise RecipeError(f"{where} lacks the key 'file'.")
    return LoraUse(file=_text(where, item["file"]), weight=_number(where, item.get("weight", 1.0)))


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "weights": _weights,
    "base_alpha": _number,
    "weight": _number,
    "loras": _loras,
    "rank": _whole,
    "conv_rank": _whole,
    "clamp": _number,
    "min_difference": _number,
    "precision": _one_of([*PRECISIONS]),
    "ema": _one_of(EMA_MODES),
}
