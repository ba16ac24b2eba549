"""Metadata of the networks that prompts name, for infotexts and notes to the user."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pastelbot.diffusion.conditioning.embeddings import Embedding
from pastelbot.diffusion.embeddings import has_output_among
from pastelbot.diffusion.engine.picture import PassConditioning
from pastelbot.diffusion.lora.library import UsedLora


@dataclass(frozen=True, kw_only=True)
class NetworkMetadata:
    """Fields of the infotext, and sentences about what the user may not expect."""

    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def network_metadata(
    passes: Iterable[PassConditioning], embedding_file: Callable[[str], Embedding | None]
) -> NetworkMetadata:
    """Return what the passes used, each LoRA and embedding once, by the names that the prompts have for them.

    As in the webui, embeddings are those of the first pass alone. `embedding_file` returns None for one inside a LoRA.
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
            file, lora = embedding_file(name), _lora_with(name, each.loras)
            embeddings[_word(name)] = file.hash if file else _word(lora.tag.name) if lora else ""
            if file.has_output if file else lora is not None and has_output_among(lora.lora.embeddings[name]):
                notes[f"The embedding {name} also has output vectors of OneTrainer, which are not used."] = None
    fields = {"Lora hashes": _pairs(hashes), "Lora names": _pairs(others), "TI hashes": _pairs(embeddings)}
    return NetworkMetadata(fields={name: value for name, value in fields.items() if value}, notes=tuple(notes))


def _lora_with(embedding: str, loras: Iterable[UsedLora]) -> UsedLora | None:
    """Return the LoRA that an embedding is inside of, which the webui names in place of its hash."""
    return next((used for used in loras if embedding in used.lora.embeddings), None)


def _word(name: str) -> str:
    return name.replace(":", "").replace(",", "")


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items() if value)
