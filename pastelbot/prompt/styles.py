"""The webui's styles: texts around a prompt and a negative prompt, from its file styles.csv."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pastelbot.errors import RequestError

PLACE = "{prompt}"
_COLUMNS = ("name", "prompt")
_MOST = 1000  # rows that are read
_LEFT_OUT = "#"  # a row whose name begins so is a comment


class Style(NamedTuple):
    """What is put around a prompt and a negative prompt: at `{prompt}`, else behind it with a comma."""

    name: str
    prompt: str
    negative_prompt: str


class WithoutStyles(NamedTuple):
    """The names of the styles that were found in prompts, and the prompts without them."""

    names: Sequence[str]
    prompt: str
    negative_prompt: str


def read_styles(text: str) -> list[Style]:
    """Return the styles of a styles.csv, the last of those with one name; raises RequestError for other files."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), skipinitialspace=True)
    try:
        if not set(_COLUMNS) <= set(rows.fieldnames or ()):
            raise RequestError(
                "This is not a styles.csv of the webui: its first line must be name,prompt,negative_prompt."
            )
        styles: dict[str, Style] = {}
        for row, _number in zip(rows, range(_MOST), strict=False):
            name = row["name"] or ""
            if name.strip() and not name.startswith(_LEFT_OUT):
                styles[name] = Style(name, row["prompt"] or "", row.get("negative_prompt") or "")
    except csv.Error as error:
        raise RequestError(f"The styles.csv cannot be read: {error}.") from error
    return list(styles.values())


def with_styles(prompt: str, negative_prompt: str, styles: Iterable[Style]) -> tuple[str, str]:
    """Return both prompts inside of styles, the first one innermost."""
    for style in styles:
        prompt, negative_prompt = _merged(style.prompt, prompt), _merged(style.negative_prompt, negative_prompt)
    return prompt, negative_prompt


def without_styles(prompt: str, negative_prompt: str, styles: Iterable[Style]) -> WithoutStyles:
    """Return both prompts without the styles around them, as the webui finds them in an infotext."""
    left = [style for style in styles if style.prompt or style.negative_prompt]
    names: list[str] = []
    while True:
        for style in left:
            inner, inner_negative = _inside(style.prompt, prompt), _inside(style.negative_prompt, negative_prompt)
            if inner is not None and inner_negative is not None:
                break
        else:
            return WithoutStyles(names[::-1], prompt, negative_prompt)
        left.remove(style)
        names.append(style.name)
        prompt, negative_prompt = inner, inner_negative


def _merged(style: str, prompt: str) -> str:
    if PLACE in style:
        return style.replace(PLACE, prompt)
    return ", ".join(part for part in (prompt.strip(), style.strip()) if part)


def _inside(style: str, prompt: str) -> str | None:
    """Return what a style's text is around or behind; None where it is not."""
    style, prompt = style.strip(), prompt.strip()
    before, place, behind = style.partition(PLACE)
    if place:
        fits = len(prompt) >= len(before) + len(behind) and prompt.startswith(before) and prompt.endswith(behind)
        return prompt[len(before) : len(prompt) - len(behind)] if fits else None
    return prompt.removesuffix(style).removesuffix(", ") if prompt.endswith(style) else None
