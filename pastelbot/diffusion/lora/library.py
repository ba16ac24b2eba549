"""The LoRAs that a prompt asks for: found, loaded, kept for the next prompt, and put into a checkpoint's weights."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.patch import LoadedLora, LoraSet, Patches
from pastelbot.errors import CheckpointError, NotFoundError, PaintingError
from pastelbot.formats.hashes import lora_hash
from pastelbot.formats.network_files import Found, LoraFiles
from pastelbot.prompt.lora_tags import LoraTag, read_lora_tags

_KEPT_BYTES = 512 * 2**20


@dataclass(frozen=True, kw_only=True, eq=False)
class UsedLora:
    """A LoRA as a prompt asks for it."""

    tag: LoraTag
    found: Found
    lora: LoadedLora

    @property
    def notes(self) -> list[str]:
        """Return sentences about what the user may not expect."""
        notes = []
        if not self.found.exact:
            notes.append(f"There is no LoRA {self.tag.name!r}: {self.found.name} was used.")
        if self.lora.unknown:
            some = ", ".join(self.lora.unknown[:3]) + (", ..." if len(self.lora.unknown) > 3 else "")
            notes.append(f"{len(self.lora.unknown)} modules of the LoRA {self.found.name} are unknown: {some}.")
        if self.tag.ignored:
            some = ", ".join(part[:40] for part in self.tag.ignored[:3]) + (", ..." if self.tag.ignored[3:] else "")
            notes.append(f"The tag of the LoRA {self.found.name} has parts that are not followed: {some}.")
        return notes


class LoraLibrary:
    """The LoRAs that one checkpoint paints with.

    Loaded ones are kept up to `kept_bytes`, the latest first; a running job keeps its own as well.
    """

    def __init__(self, patches: Patches, files: LoraFiles, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._patches = patches
        self._files = files
        self._kept: OrderedDict[tuple[Path, int | None], LoadedLora] = OrderedDict()
        self._kept_bytes = kept_bytes

    def of_prompt(self, prompt: str) -> tuple[UsedLora, ...]:
        """Return the LoRAs of a prompt in its order; raises PromptError, NotFoundError or PaintingError."""
        return tuple(self._use(tag) for tag in read_lora_tags(prompt))

    @property
    def in_unet(self) -> LoraSet | None:
        """Return the set that is in the UNet."""
        return self._patches.unet.used

    def use_in_unet(self, loras: LoraSet) -> None:
        """Let the UNet paint with a set of LoRAs, and with no others."""
        self._patches.unet.use(loras)

    def use_in_text_encoder(self, loras: LoraSet) -> None:
        """Let the text encoder read with a set of LoRAs, and with no others."""
        self._patches.text.use(loras)

    def _use(self, tag: LoraTag) -> UsedLora:
        found = self._files.find(tag.name)
        if found is None:
            raise NotFoundError(self._files.refusal(tag.name))
        return UsedLora(tag=tag, found=found, lora=self._load(found.path, tag.rank))

    def _load(self, path: Path, rank: int | None) -> LoadedLora:
        try:
            identity = _identity_of(path, rank)
        except OSError as error:
            raise NotFoundError(f"The LoRA {path.stem} is no longer there.") from error
        kept = self._kept.get((path, rank))
        if kept is None or kept.identity != identity:
            kept = self._kept[path, rank] = self._read(path, rank, identity)
        self._kept.move_to_end((path, rank))
        while len(self._kept) > 1 and sum(lora.size for lora in self._kept.values()) > self._kept_bytes:
            self._kept.popitem(last=False)
        return kept

    def _read(self, path: Path, rank: int | None, identity: str) -> LoadedLora:
        try:
            file = open_lora(path)
            bound, unknown = file.bind(self._patches.targets)
            changes = {key: change.load().first(rank).owned() for key, change in bound.items()}
            shorthash = lora_hash(path, file.metadata.get("sshs_model_hash"))
        except (CheckpointError, OSError) as error:
            reason = str(error).replace(f"{path.parent}/", "")
            raise PaintingError(f"The LoRA {path.stem} cannot be used: {reason}") from error
        return LoadedLora(
            name=path.stem,
            hash=shorthash,
            identity=identity,
            changes=changes,
            unknown=tuple(sorted(unknown)),
            embeddings=file.embeddings,
        )


def text_set(used: Iterable[UsedLora]) -> LoraSet:
    """Return what the text encoder gets."""
    return tuple((each.lora, each.tag.te) for each in used if each.tag.te)


def unet_set(used: Iterable[UsedLora]) -> LoraSet:
    """Return what the UNet gets."""
    return tuple((each.lora, each.tag.unet) for each in used if each.tag.unet)


def _identity_of(path: Path, rank: int | None) -> str:
    """Return a text that changes with a file, and with the ranks that are used of it."""
    stat = path.stat()
    return f"{path}|{stat.st_mtime_ns}|{stat.st_size}|{rank}"
