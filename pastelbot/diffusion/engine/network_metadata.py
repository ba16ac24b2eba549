"""Metadata of the networks that prompts name, for infotexts and notes to the user."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pastelbot.diffusion.engine.picture import PassConditioning
from pastelbot.diffusion.lora.library import UsedLora


@dataclass(frozen=True, kw_only=True)
class UsedNetworks:
    """Fields of the infotext, and sentences about what the user may not expect."""

    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def used_networks(passes: Iterable[PassConditioning], hash_of_embedding: Callable[[str], str]) -> UsedNetworks:
    """Return what the passes used, each LoRA and embedding once, by the names that the prompts have for them.

    As in the webui, embeddings are those of the first pass alone.
    """
    hashes: dict[str, str] = {}
    others: dict[str, str] = {}
    embeddings: dict[str, str] = {}
    notes: dict[str, None] = {}
    for number, each in enumerate(passes):
        for used in each.loras:
            hashes[_word(used.tag.name)] = used.lora.hash
            if not used.found.exact:
                others[_word(used.tag.name)] = _word(used.found.name)
            notes.update(dict.fromkeys(used.notes))
        for name in each.embeddings if number == 0 else ():
            embeddings[_word(name)] = hash_of_embedding(name) or _lora_with(name, each.loras)
    fields = {"Lora hashes": _pairs(hashes), "Lora names": _pairs(others), "TI hashes": _pairs(embeddings)}
    return UsedNetworks(fields={name: value for name, value in fields.items() if value}, notes=tuple(notes))


def _lora_with(embedding: str, loras: Iterable[UsedLora]) -> str:
    """Return the LoRA that an embedding is inside of, which the webui names in place of its hash."""
    return next((_word(used.tag.name) for used in loras if embedding in used.lora.embeddings), "")


def _word(name: str) -> str:
    return name.replace(":", "").replace(",", "")


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items() if value)
