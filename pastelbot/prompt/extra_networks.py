"""Extra networks: `<lora:name:multiplier>` and its kin, taken out of a prompt. Names stay exactly as written."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

_TAG = re.compile(r"<(\w++):([^>]++)>")


@dataclass(frozen=True)
class NetworkTag:
    """One `<kind:item:item:...>`; an item is positional or, as in `te=0.5`, named."""

    kind: str
    items: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the tag as it stands in the prompt."""
        return f"<{self.kind}:{':'.join(self.items)}>"

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """Return the items without a name."""
        return tuple(item for item in self.items if "=" not in item)

    @cached_property
    def named(self) -> dict[str, str]:
        """Return the items with a name."""
        pairs = (item.partition("=") for item in self.items)
        return {name: value for name, equals, value in pairs if equals}


@dataclass(frozen=True)
class ExtractedNetworks:
    """A prompt without its tags, and the tags in their order."""

    prompt: str
    tags: tuple[NetworkTag, ...]

    @cached_property
    def by_kind(self) -> dict[str, list[NetworkTag]]:
        """Return the tags by kind: "lora", "hypernet", ..."""
        kinds: dict[str, list[NetworkTag]] = {}
        for tag in self.tags:
            kinds.setdefault(tag.kind, []).append(tag)
        return kinds


def extract_networks(prompt: str) -> ExtractedNetworks:
    """Take the tags out of a prompt; what only resembles one stays."""
    tags = tuple(NetworkTag(match[1], tuple(match[2].split(":"))) for match in _TAG.finditer(prompt))
    return ExtractedNetworks(_TAG.sub("", prompt), tags)


def change_tags(prompt: str, change: Callable[[NetworkTag], str | None]) -> str:
    """Return a prompt with other text in the place of its tags; None takes a tag out."""
    return _TAG.sub(lambda match: change(NetworkTag(match[1], tuple(match[2].split(":")))) or "", prompt)


def extract_batch(prompts: Iterable[str]) -> tuple[list[str], tuple[NetworkTag, ...]]:
    """Take the tags out of a batch's prompts; those of the first prompt count, as in the webui."""
    extracted = [extract_networks(prompt) for prompt in prompts]
    return [each.prompt for each in extracted], extracted[0].tags if extracted else ()
