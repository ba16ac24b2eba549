"""LoRA tags in a prompt, as the webui reads them: `<lora:name:0.6>`, `<lora:name:te:unet:dyn>`, `<lora:name:te=1>`."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pastelbot.errors import PromptError, quoted
from pastelbot.prompt.extra_networks import NetworkTag, change_tags, extract_networks

LORA_KINDS = ("lora", "lyco")

_NAMED = ("te", "unet", "dyn")


@dataclass(frozen=True, kw_only=True)
class LoraTag:
    """A LoRA by its name in the prompt, with its multipliers for text encoder and UNet.

    `rank` is the webui's `dyn`: only so many ranks are used, all where None. `ignored` are the other parts of the tag,
    such as `lbw=OUTALL`, which extensions of the webui read.
    """

    name: str
    te: float = 1.0
    unet: float = 1.0
    rank: int | None = None
    ignored: tuple[str, ...] = ()


def read_lora_tags(prompt: str) -> tuple[LoraTag, ...]:
    """Return the LoRAs that a prompt asks for, in its order; raises PromptError for a tag that cannot be read."""
    return lora_tags_among(extract_networks(prompt).tags)


def lora_tags_among(tags: Iterable[NetworkTag]) -> tuple[LoraTag, ...]:
    """Do as `read_lora_tags` for the tags of a prompt."""
    return tuple(_read(tag) for tag in tags if tag.kind.lower() in LORA_KINDS)


def rename_loras(prompt: str, rename: Callable[[str], str | None]) -> str:
    """Return a prompt with its LoRAs renamed by `rename`; None removes one."""

    def change(tag: NetworkTag) -> str | None:
        if tag.kind.lower() not in LORA_KINDS or not tag.positional:
            return tag.text
        place = tag.items.index(tag.positional[0])
        name = rename(tag.positional[0])
        items = (*tag.items[:place], name or "", *tag.items[place + 1 :])
        return None if name is None else NetworkTag(tag.kind, items).text

    return change_tags(prompt, change)


def with_weight(prompt: str, weight: str) -> str:
    """Return a prompt with both multipliers of its LoRAs replaced; their other parts, such as `dyn`, stay."""

    def change(tag: NetworkTag) -> str:
        if tag.kind.lower() not in LORA_KINDS or not tag.positional:
            return tag.text
        name, *numbers = tag.positional
        ranks = [f"dyn={rank}" for rank in numbers[2:3]]
        others = [f"{key}={value}" for key, value in tag.named.items() if key not in ("te", "unet")]
        return NetworkTag(tag.kind, (name, weight, *ranks, *others)).text

    return change_tags(prompt, change)


def written(tag: NetworkTag) -> str:
    """Return a tag as it stands in the prompt, as code, truncated where it is long."""
    return quoted(tag.text[:80])


def _read(tag: NetworkTag) -> LoraTag:
    name, *parts = tag.positional or ("",)
    if not name.strip():
        raise PromptError(f"{written(tag)} names no LoRA: write `<lora:name:0.6>`.")
    # Behind the first number extensions have words, such as the blocks in `<lora:name:1:IN02>`.
    numbers = [part for place, part in enumerate(parts) if place == 0 or _is_number(part)]
    words = [part for part in parts if part not in numbers and part.strip()]
    given = dict(zip(_NAMED, numbers, strict=False)) | {key: tag.named[key] for key in _NAMED if key in tag.named}
    te = _number(tag, given.get("te", "1"))
    unknown = [f"{key}={value}" for key, value in tag.named.items() if key not in _NAMED]
    return LoraTag(
        name=name,
        te=te,
        unet=_number(tag, given["unet"]) if "unet" in given else te,
        rank=_rank(tag, given["dyn"]) if "dyn" in given else None,
        ignored=(*unknown, *words, *numbers[len(_NAMED) :]),
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(tag: NetworkTag, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PromptError(f"{written(tag)} has {text[:40]!r} where a number belongs: write `<lora:name:0.6>`.")
    return value


def _rank(tag: NetworkTag, text: str) -> int:
    digits = text.strip()
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", digits):
        raise PromptError(
            f"{written(tag)} has {text[:40]!r} as its third number, dyn, which must be a whole number from 1."
        )
    return int(digits)
