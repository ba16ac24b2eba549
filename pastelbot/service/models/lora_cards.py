"""Cards of the operator's LoRAs: what their files say of themselves, to choose among them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.network_files import LoraFiles
from pastelbot.formats.safetensors_header import read_header
from pastelbot.formats.texts.trainer_notes import base_model, trigger_words

_Version = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class LoraCard:
    """A LoRA by the name that prompts have for it; `base` are the models that it is for, "" where that is unknown."""

    name: str
    words: tuple[str, ...] = ()
    base: str = ""
    title: str = ""


class LoraCards:
    """Reads the heads of files off the event loop, and each once until it changes."""

    def __init__(self, loras: LoraFiles) -> None:
        self._loras = loras
        self._read: dict[Path, tuple[_Version, LoraCard]] = {}
        self._reading = asyncio.Lock()

    async def find(self, text: str, *, start: int, most: int) -> tuple[list[LoraCard], int]:
        """Return `most` cards whose name, title, words or base have all words of a text, and how many there are."""
        async with self._reading:
            cards = await asyncio.to_thread(self._cards)
        wanted = text.casefold().split()
        found = [card for card in cards if all(word in _searched(card) for word in wanted)]
        return found[start : start + most], len(found)

    def _cards(self) -> list[LoraCard]:
        files = self._loras.files
        for gone in self._read.keys() - set(files.values()):
            del self._read[gone]
        return [self._card(name, path) for name, path in sorted(files.items(), key=lambda item: item[0].casefold())]

    def _card(self, name: str, path: Path) -> LoraCard:
        try:
            stat = path.stat()
        except OSError:
            return LoraCard(name=name)
        version = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(path)
        if known is None or known[0] != version or known[1].name != name:
            known = self._read[path] = version, _card_of(name, path)
        return known[1]


def _card_of(name: str, path: Path) -> LoraCard:
    try:
        header = read_header(path)
    except CheckpointError:  # a file of PyTorch says nothing of itself, and a damaged one is refused when it is used
        return LoraCard(name=name)
    metadata = {str(key): str(value) for key, value in header.metadata.items()}
    return LoraCard(
        name=name,
        words=tuple(trigger_words(metadata)),
        base=base_model(metadata, header.shapes),
        title=metadata.get("modelspec.title") or metadata.get("ss_output_name") or "",
    )


def _searched(card: LoraCard) -> str:
    return " ".join((card.name, card.title, card.base, *card.words)).casefold()
