"""LoRA tags: `<lora:name:0.6>` and `<lora:name:te:unet>` in a prompt, as the webui reads them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pastelbot.errors import PromptError
from pastelbot.prompt.extra_networks import NetworkTag, change_tags, extract_networks

LORA_KINDS = ("lora", "lyco")

_NAMED = ("te", "unet")


@dataclass(frozen=True, kw_only=True)
class LoraTag:
    """A LoRA by its name in the prompt, with its multipliers for text encoder and UNet."""

    name: str
    te: float = 1.0
    unet: float = 1.0


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


def written(tag: NetworkTag) -> str:
    """Return a tag as it stands in the prompt, truncated where it is long."""
    return tag.text[:80]


def _read(tag: NetworkTag) -> LoraTag:
    name, *numbers = tag.positional or ("",)
    if not name.strip():
        raise PromptError(f"{written(tag)} names no LoRA: write <lora:name:0.6>.")
    for key in tag.named:
        if key not in _NAMED:
            raise PromptError(f"{written(tag)} has the unknown part {key[:40]}=; there are te= and unet=.")
    if len(numbers) > len(_NAMED):
        raise PromptError(f"{written(tag)} has too many numbers: write <lora:name:0.6> or <lora:name:te:unet>.")
    te = _number(tag, tag.named.get("te", numbers[0] if numbers else "1"))
    unet = _number(tag, tag.named["unet"]) if "unet" in tag.named else _number(tag, numbers[1]) if numbers[1:] else te
    return LoraTag(name=name, te=te, unet=unet)


def _number(tag: NetworkTag, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PromptError(f"{written(tag)} has {text[:40]!r} where a number belongs: write <lora:name:0.6>.")
    return value
