"""X/Y plots: sheets of pictures that differ in one or two settings. Pure, no torch and no pictures.

Ranges are written as in the webui: `1-5`, `20-40 (+10)`, `4-10 [3]`.
"""

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from pastelbot.choices import nearest_names
from pastelbot.errors import RequestError
from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.prompt.lora_tags import LORA_KINDS, with_weight
from pastelbot.records import Axis, GenerationRequest, Grid
from pastelbot.rules.plain_fields import PLAIN_FIELDS, PlainField
from pastelbot.rules.samplers import check_sampler, normalise

_MAX_VALUES = 50  # of one axis; the operator limits the number of cells
_LONGEST = 4000  # characters of one axis's values
_MOST_DIGITS = 12

_MATRIX = "matrix"

_NUMBER = r"-?\d+(?:\.\d+)?"
_AXIS = re.compile(r'\b([XY]) Type: ([^,\n]{1,40}), \1 Values: ("[^"\n]*"|[^,\n]*)')
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})\s*(?:\(([+-]\d+(?:\.\d+)?)\s*\)|\[(\d{{1,9}})\s*\])?")


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A setting that an axis may change: its title, and how its values are parsed and applied to a request."""

    title: str
    read: Callable[[str], list[str]]
    apply: Callable[[GenerationRequest, str, Axis], GenerationRequest]


def read_axis(kind: str, text: str) -> Axis:
    """Parse an axis's values; raises RequestError naming the invalid value."""
    if kind not in KINDS:
        raise RequestError(f"A grid cannot change {kind[:40]!r}. {nearest_names(kind[:40], tuple(KINDS))}")
    if len(text) > _LONGEST:
        raise RequestError(f"The values of the axis {kind} have {len(text):,} characters; the limit is {_LONGEST:,}.")
    values = KINDS[kind].read(text)
    if not values:
        raise RequestError(f"The axis {kind} has no values: write some with commas between, or a range such as 1-5.")
    if len(values) > _MAX_VALUES:
        raise RequestError(f"The axis {kind} has {len(values)} values; the cap is {_MAX_VALUES}.")
    return Axis(kind=kind, values=tuple(values))


def make_grid(x: Axis, y: Axis | None) -> Grid:
    """Combine two axes; raises RequestError where both change the same setting.

    A prompt matrix of one axis becomes the webui's sheet: the later half of its parts changes from row to row.
    """
    if y is None and x.kind == _MATRIX:
        return _matrix_sheet(x)
    if y is not None and x.kind == y.kind and x.kind not in ("prompt", _MATRIX):
        raise RequestError(f"Both axes change {x.kind}: choose two different settings.")
    return Grid(x=x, y=y)


def typed_axes(infotext: str) -> dict[str, tuple[str, str]]:
    """Return the axes that a grid's infotext names: the kind and the values of "X" and "Y", as they are typed."""
    kinds = {kind.title.casefold(): name for name, kind in KINDS.items()}
    found = {letter: (kinds.get(title.strip().casefold()), text) for letter, title, text in _AXIS.findall(infotext)}
    return {letter: (kind, text.strip().strip('"')) for letter, (kind, text) in found.items() if kind is not None}


def pictures_of(request: GenerationRequest) -> list[GenerationRequest]:
    """Return the requests that are painted for this one: a grid's cells, row by row, or itself.

    Raise RequestError where a value of the grid does not fit the request.
    """
    if request.grid is None:
        return [request]
    base, grid = request.replace(grid=None, count=1), request.grid
    columns = [_apply(base, grid.x, value) for value in grid.x.values]  # first, as in the webui
    if grid.y is None:
        return columns
    return [_apply(column, grid.y, value) for value in grid.y.values for column in columns]


def labels(axis: Axis) -> list[str]:
    """Return the labels of the rows or columns."""
    if axis.kind in ("prompt", _MATRIX):
        return [value.strip(" ,") or "(without)" for value in axis.values]
    return [f"{KINDS[axis.kind].title}: {value}" for value in axis.values]


def describe(grid: Grid) -> str:
    """Return the fields that the webui adds to a grid's infotext."""
    fields = ["Script: X/Y/Z plot"]
    for letter, axis in (("X", grid.x), ("Y", grid.y)):
        if axis is not None:
            values = ", ".join(axis.values).replace('"', "'")
            fields.append(f'{letter} Type: {KINDS[axis.kind].title}, {letter} Values: "{values}"')
    return ", ".join(fields)


def _apply(request: GenerationRequest, axis: Axis, value: str) -> GenerationRequest:
    return KINDS[axis.kind].apply(request, value, axis)


def _listed(text: str) -> list[str]:
    """Split at commas; quotes keep a comma inside a value."""
    rows = list(csv.reader(io.StringIO(" ".join(text.splitlines())), skipinitialspace=True))
    return [value for row in rows for value in row]


def _names(text: str) -> list[str]:
    return [value.strip() for value in _listed(text) if value.strip()]


def _numbers(*, whole: bool) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        values = itertools.chain.from_iterable(_number_or_range(word, whole=whole) for word in _names(text))
        return list(itertools.islice(values, _MAX_VALUES + 1))

    return read


def _number_or_range(word: str, *, whole: bool) -> Iterator[str]:
    match = _RANGE.fullmatch(word)
    if match is None:
        yield _written(_decimal(word), word, whole=whole)
        return
    first, last = _decimal(match[1]), _decimal(match[2])
    if match[4]:
        count = int(match[4])
        if not 1 <= count <= _MAX_VALUES:
            raise RequestError(f"{word[:40]!r} asks for {count} values; ask for 1 to {_MAX_VALUES}.")
        numbers: Iterator[Decimal] = (first + (last - first) * place / max(1, count - 1) for place in range(count))
        numbers = (Decimal(int(number)) for number in numbers) if whole else numbers  # cut off, as the webui does
    else:
        step = _decimal(match[3]) if match[3] else Decimal(1 if first <= last else -1)
        if step == 0 or (last - first) * step < 0:
            raise RequestError(f"{word[:40]!r} never comes to an end: its step leads away from {last}.")
        numbers = itertools.takewhile(
            lambda number: number <= last if step > 0 else number >= last,
            (first + step * number for number in itertools.count()),
        )
    yield from (_written(number, word, whole=whole) for number in numbers)


def _decimal(word: str) -> Decimal:
    try:
        number = Decimal(word)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise RequestError(f"{word[:40]!r} is neither a number nor a range such as 1-5 or 20-40 (+10).")
    if number.adjusted() > _MOST_DIGITS:  # checked by the exponent: computing may overflow or take long
        raise RequestError(f"{word[:40]!r} is too large for a grid.")
    return number


def _written(number: Decimal, word: str, *, whole: bool) -> str:
    if whole and number != int(number):
        raise RequestError(f"{word[:40]!r} is not whole: this axis takes whole numbers.")
    return f"{int(number)}" if number == int(number) else f"{round(number, 4).normalize():f}"


def _denoise(request: GenerationRequest, value: str, _axis: Axis) -> GenerationRequest:
    strength = float(value)
    if request.init is not None:
        return request.replace(init=replace(request.init, denoising_strength=strength))
    if request.hires is not None:
        return request.replace(hires=replace(request.hires, denoising_strength=strength))
    raise RequestError("A grid over the denoising strength needs the hires fix, or a picture to start from.")


def _sampler(request: GenerationRequest, value: str, _axis: Axis) -> GenerationRequest:
    check_sampler(value)
    sampler, schedule = normalise(value, None)
    return request.replace(sampler=sampler, schedule=schedule)


def _lora(request: GenerationRequest, value: str, _axis: Axis) -> GenerationRequest:
    if not any(tag.kind.lower() in LORA_KINDS for tag in extract_networks(request.prompt).tags):
        raise RequestError("A grid over the LoRA's weight needs a LoRA in the prompt, such as `<lora:name:1>`.")
    return request.replace(prompt=with_weight(request.prompt, value))


def _search_and_replace(request: GenerationRequest, value: str, axis: Axis) -> GenerationRequest:
    wanted = axis.values[0]
    if wanted not in request.prompt and wanted not in request.negative_prompt:
        raise RequestError(f"The prompt has no {wanted[:80]!r} to replace: the first value is what is searched for.")
    return request.replace(
        prompt=request.prompt.replace(wanted, value), negative_prompt=request.negative_prompt.replace(wanted, value)
    )


def _search_values(text: str) -> list[str]:
    """Keep empty values: they remove the words. The first one is searched for, so it must not be empty."""
    values: Sequence[str] = _listed(text)
    if values and not values[0].strip():
        raise RequestError("The first value is what is searched for in the prompt: it cannot be empty.")
    return list(values)


def _matrix_values(text: str) -> list[str]:
    """Return all choices among parts with `|` between: choice n has part k where bit k of n is set."""
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if 2 ** len(parts) > _MAX_VALUES:
        raise RequestError(f"A prompt matrix of {len(parts)} parts has {2 ** len(parts)} pictures: take fewer parts.")
    choices = ((part for k, part in enumerate(parts) if n >> k & 1) for n in range(2 ** len(parts)))
    return [", ".join(choice) for choice in choices] if parts else []


def _matrix(request: GenerationRequest, value: str, _axis: Axis) -> GenerationRequest:
    return request.replace(prompt=f"{request.prompt}, {value}") if value else request


def _matrix_sheet(axis: Axis) -> Grid:
    rows = 1 << (len(axis.values).bit_length() - 1) // 2
    columns = len(axis.values) // rows
    y = replace(axis, values=axis.values[::columns])
    return Grid(x=replace(axis, values=axis.values[:columns]), y=y if rows > 1 else None)


def _field(name: str, convert: Callable[[str], object]) -> Callable[[GenerationRequest, str, Axis], GenerationRequest]:
    return lambda request, value, _axis: request.replace(**{name: convert(value)})


def _plain_kind(field: PlainField) -> _Kind:
    convert = int if field.whole else float
    return _Kind(title=field.title, read=_numbers(whole=field.whole), apply=_field(field.name, convert))


KINDS = {
    "seed": _Kind(title="Seed", read=_numbers(whole=True), apply=_field("seed", int)),
    "steps": _Kind(title="Steps", read=_numbers(whole=True), apply=_field("steps", int)),
    "cfg": _Kind(title="CFG Scale", read=_numbers(whole=False), apply=_field("cfg_scale", float)),
    "sampler": _Kind(title="Sampler", read=_names, apply=_sampler),
    "denoise": _Kind(title="Denoising", read=_numbers(whole=False), apply=_denoise),
    **{field.title.lower(): _plain_kind(field) for field in PLAIN_FIELDS},
    "lora weight": _Kind(title="LoRA weight", read=_numbers(whole=False), apply=_lora),
    "prompt": _Kind(title="Prompt S/R", read=_search_values, apply=_search_and_replace),
    _MATRIX: _Kind(title="Prompt matrix", read=_matrix_values, apply=_matrix),
    "vae": _Kind(title="VAE", read=_names, apply=_field("vae", str)),
    "checkpoint": _Kind(title="Checkpoint name", read=_names, apply=_field("checkpoint", str)),
}
