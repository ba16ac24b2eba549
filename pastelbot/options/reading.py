"""Parsers of single option values."""

import math
import re

from pastelbot.config import Settings, parse_size
from pastelbot.errors import LimitError, RequestError
from pastelbot.records import Grid
from pastelbot.rules import grids
from pastelbot.rules.limits import MAX_SEED
from pastelbot.rules.samplers import SamplerChoice, check_sampler, normalise

_WIDEST = 4.0  # width to height, or height to width
_LARGEST_SCALE = 4.0

_ASPECT = re.compile(r"(\d+(?:\.\d+)?)\s*[:/xX×]\s*(\d+(?:\.\d+)?)")
_SEED = re.compile(r"[0-9]{1,20}")
_SCALE = re.compile(r"(\d+(?:\.\d*)?)\s*[xX×]?")
_WORDS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_NOTHING = {"none", "-", "nothing"}
_NEGATIVE_LABEL = re.compile(r"\A\s*+negative[ _]prompt\s*+:\s*+", re.IGNORECASE)
_WHOLE = re.compile(r"-?[0-9]{1,10}")


def read_seed(text: str) -> int | None:
    """Read a typed seed; empty or -1 is None, a random one. Raises RequestError for anything else."""
    word = text.strip()
    if word in {"", "-1"}:
        return None
    if _SEED.fullmatch(word) is None or int(word) > MAX_SEED:
        raise RequestError(f"{word[:40]!r} is not a seed: type a whole number from 0 to {MAX_SEED}, or nothing.")
    return int(word)


def read_whole(text: str, *, example: int) -> int:
    """Read a whole number of at most 10 digits; raises RequestError with the example."""
    if _WHOLE.fullmatch(text) is None:
        raise RequestError(f"{text[:40]!r} is not a whole number, such as {example}.")
    return int(text)


def read_number(text: str, *, example: float) -> float:
    """Read a number that is neither huge nor infinite; raises RequestError with the example."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < 10**9:
        raise RequestError(f"{text[:40]!r} is not a number, such as {example:g}.")
    return number


def read_sampler(name: str, schedule: str | None = None) -> SamplerChoice:
    """Read "DPM++ 2M Karras" as DPM++ 2M with Karras; raise RequestError with the nearest name."""
    check_sampler(name, schedule)
    return normalise(name, schedule)


def read_size(size: str, settings: Settings) -> tuple[int, int]:
    """Read a size's name or its pixels; raise RequestError with the names there are."""
    named = settings.sizes.get(size.strip().lower())
    try:
        return parse_size(size if named is None else named.first)
    except ValueError as error:
        names = ", ".join(settings.sizes)
        raise RequestError(f"{size[:40]!r} is not a size: use one of {names}, or pixels such as 448x640.") from error


def read_hires(text: str) -> tuple[bool, float | None]:
    """Read "off", "on" or a scale such as "1.5x" as whether to paint large, and how many times as large."""
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word], None
    match = _SCALE.fullmatch(word)
    if match is None:
        raise RequestError(f"{text[:40]!r} is not a valid value for hires: write off, on, or a scale such as 1.5x.")
    scale = float(match[1])
    if not 1 < scale <= _LARGEST_SCALE:
        raise LimitError(f"Hires by {scale:g} is not possible: ask for more than 1x, and {_LARGEST_SCALE:g}x at most.")
    return True, scale


def read_aspect(text: str) -> float:
    """Read "3:2" as 1.5, width to height; raises RequestError."""
    match = _ASPECT.fullmatch(text.strip())
    if match is None or not float(match[1]) or not float(match[2]):
        raise RequestError(f"{text[:40]!r} is not an aspect ratio: write width to height, for example 3:2.")
    ratio = float(match[1]) / float(match[2])
    if not 1 / _WIDEST <= ratio <= _WIDEST:
        wrong = "wide" if ratio > 1 else "narrow"
        raise LimitError(f"The aspect ratio {text[:40]} is too {wrong}: 1:{_WIDEST:g} to {_WIDEST:g}:1 can be painted.")
    return ratio


def read_negative(text: str) -> str:
    """Read a negative prompt, without the label that people copy along.

    "none" is an empty one, which Discord's options cannot hold.
    """
    text = _NEGATIVE_LABEL.sub("", text, count=1)
    return "" if text.strip().lower() in _NOTHING else text


def size_with_aspect(size: tuple[int, int], ratio: float, *, largest: int) -> tuple[int, int]:
    """Return a size of about as many pixels with another ratio of width to height.

    The sides are multiples of 64, or of 32, 16 or 8 where these come nearer to the ratio than by a twelfth.
    """
    width, height = math.sqrt(size[0] * size[1] * ratio), math.sqrt(size[0] * size[1] / ratio)
    shrink = min(1.0, largest / max(width, height))
    width, height = width * shrink, height * shrink
    found = (64, 64)
    for unit in (64, 32, 16, 8):
        most = largest // unit * unit
        found = (_rounded(width, unit, most), _rounded(height, unit, most))
        if abs(math.log(found[0] / found[1] / ratio)) < 1 / 12:
            break
    return found


def _rounded(pixels: float, unit: int, most: int) -> int:
    return max(64, min(most, round(pixels / unit) * unit))


def read_strength(text: str) -> float:
    """Read a typed strength; raises RequestError for anything but a number from 0 to 1."""
    try:
        strength = float(text.strip().replace(",", "."))
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= 1:
        raise RequestError(f"{text[:40]!r} is not a valid strength: type a number from 0 to 1, such as 0.6.")
    return strength


def read_grid(x: str, x_values: str, y: str | None, y_values: str | None) -> Grid:
    """Return the grid of two typed axes; None leaves the rows out. Raises RequestError."""
    if (y is None) != (y_values is None):
        raise RequestError("The rows need both y and y_values: name the other one too, or leave both out.")
    return grids.make_grid(
        grids.read_axis(x, x_values), None if y is None or y_values is None else grids.read_axis(y, y_values)
    )
