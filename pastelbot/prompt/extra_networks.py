"""Extra networks: `<lora:name:multiplier>` and its kin, taken out of a prompt. Names stay exactly as written."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property


class TagPattern:
    """A regular expression with tags among its alternatives, searched in linear time.

    No tag can end after the last `>`, and each `<kind:` there would be scanned to the end of the text: so only `others`
    is searched there, which must not match across a `>`.
    """

    def __init__(self, tag: str, others: str = "(?!)") -> None:
        self._closed = re.compile(f"{tag}|{others}", re.DOTALL)
        self._others = re.compile(others, re.DOTALL)

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches in a text, from left to right."""
        end = text.rfind(">") + 1
        yield from self._closed.finditer(text, 0, end)
        yield from self._others.finditer(text, end)

    def sub(self, text: str, change: Callable[[re.Match[str]], str]) -> str:
        """Return a text with its matches replaced."""
        pieces, done = [], 0
        for match in self.find(text):
            pieces += [text[done : match.start()], change(match)]
            done = match.end()
        return "".join([*pieces, text[done:]])


_TAG = TagPattern(r"<(\w++):([^>]++)>")


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


def extract_networks(prompt: str) -> ExtractedNetworks:
    """Remove the tags from a prompt; what only resembles one stays."""
    tags: list[NetworkTag] = []
    return ExtractedNetworks(change_tags(prompt, tags.append), tuple(tags))


def change_tags(prompt: str, change: Callable[[NetworkTag], str | None]) -> str:
    """Return a prompt with its tags replaced; None removes a tag."""
    return _TAG.sub(prompt, lambda match: change(NetworkTag(match[1], tuple(match[2].split(":")))) or "")
