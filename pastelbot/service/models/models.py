"""Models: the operator's checkpoints, VAEs, LoRAs and embeddings, and the checkpoint in use."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from pastelbot.choices import nearest_names
from pastelbot.config import Settings, checkpoint_location
from pastelbot.errors import NotAllowedError, NotFoundError
from pastelbot.formats.hashes import HashIndex, as_wanted
from pastelbot.formats.network_files import EMBEDDING_SUFFIXES, LoraFiles, ModelNames, network_files, plain_name
from pastelbot.infotext import ReadRequest, lora_names, unknown_tags, with_embedding_renamed, with_loras_here
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.paths import expanded_path, is_there
from pastelbot.records import Actor, GenerationRequest
from pastelbot.service.audit import AuditTrail
from pastelbot.service.models.hashes import CheckpointHashes
from pastelbot.store.key_values import KeyValueStore

_IN_USE = "checkpoint in use"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """One checkpoint that there is."""

    name: str
    source: str
    vae: str | None
    in_use: bool


class Models:
    """Knows what a request may name, and which checkpoint paints where it names none."""

    def __init__(
        self, settings: Settings, key_values: KeyValueStore, dispatcher: Dispatcher, audit: AuditTrail
    ) -> None:
        self._settings = settings
        self._key_values = key_values
        self._audit = audit
        self._dispatcher = dispatcher
        self._loras = LoraFiles(settings.checkpoint.loras)
        self.names = ModelNames(loras=self._loras, checkpoints=settings.checkpoint_names, vaes=tuple(settings.vaes))
        self._sources = {settings.checkpoint.name: settings.checkpoint.path} | {
            name: one.path for name, one in settings.checkpoints.items()
        }
        self._files = HashIndex()  # of VAEs and embeddings
        self._hashes = CheckpointHashes(self._key_values, {name: _file(path) for name, path in self._sources.items()})
        self.in_use = settings.checkpoint.name

    async def open(self) -> None:
        """Load which checkpoint was in use; an unknown one is dropped."""
        chosen = await self._key_values.get(_IN_USE)
        if chosen in self.names.checkpoints:
            self.in_use = chosen
        elif chosen is not None:
            log.warning("the checkpoint in use is no longer configured", name=chosen, instead=self.in_use)

    @property
    def lines(self) -> list[ModelLine]:
        """Return the checkpoints, the default first."""
        vaes = {self._settings.checkpoint.name: self._settings.checkpoint.vae} | {
            name: one.vae for name, one in self._settings.checkpoints.items()
        }
        return [
            ModelLine(
                name=name,
                source=Path(path).name if is_there(path) else path,
                vae=vae and (vae if vae in self._settings.vaes else Path(vae).name),
                in_use=name == self.in_use,
            )
            for (name, path), vae in zip(self._sources.items(), vaes.values(), strict=True)
        ]

    async def use(self, actor: Actor, name: str) -> str:
        """Let another checkpoint paint what asks for none, from now on and after restarts; return the one before.

        Where the bot has operators, only they may: it concerns all servers. Raises NotAllowedError, or a NotFoundError
        with the names that there are.
        """
        operators = self._settings.moderation.operators
        if operators and actor.user_id not in operators:
            raise NotAllowedError("Only the bot's operators may change the checkpoint: it paints in all servers.")
        if not operators and not actor.manages_server:
            raise NotAllowedError("Changing the checkpoint needs the permission Manage Server.")
        if name not in self.names.checkpoints:
            near = nearest_names(name[:60], self.names.checkpoints)
            raise NotFoundError(f"There is no checkpoint {name[:60]!r}. {near}")
        before, self.in_use = self.in_use, name
        if before == name:
            return before
        await self._key_values.set(_IN_USE, name)
        log.info("checkpoint in use", name=name, before=before, user=actor.user_id, server=actor.guild_id)
        await self._audit.record(actor, "model use", detail=f"{before} -> {name}")
        return before

    def pinned(self, request: GenerationRequest) -> GenerationRequest:
        """Return a request that names its checkpoint, so that it stays the same whatever is in use later."""
        if request.checkpoint or len(self.names.checkpoints) == 1:
            return request
        return request.replace(checkpoint=self.in_use)

    async def notes(self, request: GenerationRequest) -> list[str]:
        """Return sentences about LoRAs whose names are nearly those of files."""
        names = lora_names(request)
        found = await asyncio.to_thread(lambda: [self._loras.find(name) for name in names]) if names else []
        renamed = [
            f"There is no LoRA {name!r}: {lora.name} is used."
            for name, lora in zip(names, found, strict=True)
            if lora is not None and not lora.exact
        ]
        return [*renamed, *unknown_tags(request.prompt)]

    async def adapted(self, read: ReadRequest) -> tuple[GenerationRequest, list[str]]:
        """Return the request of an infotext with what there is here, and sentences about what will differ."""
        request, notes = await asyncio.to_thread(with_loras_here, read, self._loras)
        checkpoint, note = await self._checkpoint_of(read)
        notes.insert(0, note)
        if checkpoint:
            request = request.replace(checkpoint=checkpoint)
        request, missing = await asyncio.to_thread(self._with_embeddings, request, read)
        vae = await asyncio.to_thread(self._vae_of, read)
        if vae:
            request = request.replace(vae=vae)
        elif vae is None:
            missing.append(f"It was painted with the VAE {(read.vae or read.vae_hash)[:60]}, which is not here.")
        return request, [note for note in (*notes, *missing) if note]

    def _vae_of(self, read: ReadRequest) -> str | None:
        """Return the configured VAE that an infotext says, "" where the checkpoint's own is it, None where none is."""
        wanted, places = plain_name(read.vae), self._settings.vaes
        if wanted and (named := next((name for name, place in places.items() if wanted in _names(name, place)), "")):
            return named
        files = {_file(place): name for name, place in places.items()}
        if (found := self._files.find(files, read.vae_hash)) is not None:
            return files[found]
        ours = {plain_name(Path(line.vae or "").name) for line in self.lines}
        return None if read.vae and wanted not in ours else ""

    async def _checkpoint_of(self, read: ReadRequest) -> tuple[str, str]:
        """Return the name of the checkpoint that an infotext says, "" where the default paints, and a note on it."""
        by_hash = await self._with_hash(as_wanted(read.checkpoint_hash))
        if by_hash is not None:
            return by_hash, ""
        by_name = self._with_name(read.checkpoint) if read.checkpoint else ""
        if by_name is None:
            return "", self._other_checkpoint(read)
        if not read.checkpoint_hash:
            return by_name, ""
        if read.checkpoint and by_name:
            return by_name, f"The checkpoint {by_name} is another version here than {read.checkpoint_hash[:64]}."
        return by_name, self._other_checkpoint(read)

    async def _with_hash(self, wanted: str) -> str | None:
        """Return the checkpoint that has such a hash: the old one of 8 digits, or the beginning of the whole file's."""
        if not wanted:
            return None
        ours = self._dispatcher.checkpoint
        if ours is not None and ours.checkpoint_hash.startswith(wanted[:10]):
            return self._settings.checkpoint.name if len(self.names.checkpoints) > 1 else ""
        for name, loaded in self._dispatcher.loaded.items():
            if loaded.checkpoint_hash.startswith(wanted[:10]):
                return name
        return await self._hashes.find(wanted)

    def _with_name(self, written: str) -> str | None:
        """Return the checkpoint that is configured, loaded or filed under a name, "" for the only one."""
        wanted, ours = plain_name(written), self._dispatcher.checkpoint
        loaded = {name: one.checkpoint for name, one in self._dispatcher.loaded.items()}
        if ours is not None:
            loaded.setdefault(self._settings.checkpoint.name, ours.checkpoint)
        for name, place in self._sources.items():
            if wanted in {*_names(name, place), plain_name(loaded.get(name, name))}:
                return name if len(self.names.checkpoints) > 1 else ""
        return None

    def _other_checkpoint(self, read: ReadRequest) -> str:
        theirs = read.checkpoint[:60] + (f" ({read.checkpoint_hash[:64]})" if read.checkpoint_hash else "")
        ours, here = self._dispatcher.checkpoint, self.in_use
        if ours is not None and self.in_use == self._settings.checkpoint.name:
            here = f"{ours.checkpoint} ({ours.checkpoint_hash})"
        return f"It was painted with {theirs.strip()}; here {here} paints."

    def _with_embeddings(self, request: GenerationRequest, read: ReadRequest) -> tuple[GenerationRequest, list[str]]:
        """Return the request with the names that embeddings have here, and notes on those that are missing."""
        ours = network_files(self._settings.checkpoint.embeddings, EMBEDDING_SUFFIXES)
        known, notes = {name.casefold() for name in ours}, []
        for name, shorthash in read.embeddings.items():
            if name.casefold() in known or self._is_lora(shorthash):
                continue
            found = self._files.find(ours.values(), shorthash)
            if found is None:
                notes.append(f"The embedding {name[:60]} is not here.")
            else:
                here = next(each for each, path in ours.items() if path == found)
                request = with_embedding_renamed(request, name, here)
                notes.append(f"The embedding {name[:60]} is not here: {here} is used.")
        return request, notes

    def _is_lora(self, name: str) -> bool:
        """Return whether a LoRA has that name, which an infotext has for the hash of an embedding inside of it."""
        found = self._loras.find(name)
        return found is not None and found.exact


def _names(name: str, place: str) -> set[str]:
    """Return what a configured file may be called, in the form used for comparison."""
    return {plain_name(each) for each in (name, Path(name).name, Path(place).name, Path(place).stem)}


def _file(reference: str) -> Path:
    return expanded_path(checkpoint_location(reference))
