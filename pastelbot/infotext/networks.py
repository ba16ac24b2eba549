"""The LoRAs of an infotext, which may have other names here, or be missing and left out as in the webui."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pastelbot.errors import PromptError
from pastelbot.formats.network_files import LoraFiles
from pastelbot.infotext.reader import ReadRequest
from pastelbot.prompt.extra_networks import NetworkTag, change_tags, extract_networks
from pastelbot.prompt.lora_tags import LORA_KINDS, read_lora_tags, rename_loras
from pastelbot.records import GenerationRequest


def with_loras_here(read: ReadRequest, loras: LoraFiles) -> tuple[GenerationRequest, list[str]]:
    """Return the request with the LoRAs that are here, by their names here, and notes on the others."""
    notes: dict[str, None] = {}

    def rename(name: str) -> str | None:
        shorthash = read.loras.get(name.replace(",", ""), "")
        found = loras.find(name)
        if found is None or not found.exact:
            found = loras.with_hash(shorthash) or found
            what = f"{name[:60]} ({shorthash})" if shorthash else name[:60]
            outcome = "it is left out" if found is None else f"{found.name} is used"
            notes[f"The LoRA {what} is not here: {outcome}."] = None
            return None if found is None else found.name
        ours = loras.metadata(found.path).get("sshs_model_hash", "")
        if ours and shorthash and not ours.startswith(shorthash):
            notes[f"The LoRA {name[:60]} is another version here: {ours[:12]} instead of {shorthash}."] = None
        return name

    request, hires = _readable(read.request, notes), read.request.hires
    notes |= dict.fromkeys(unknown_tags(request.prompt))
    request = request.replace(prompt=rename_loras(request.prompt, rename))
    request = _without_hypernetworks(request, notes)
    request = _with_resources(request, read.resources, loras, notes)
    if hires is not None and hires.prompt:
        request = request.replace(hires=replace(hires, prompt=rename_loras(hires.prompt, rename)))
    return request, list(notes)


def unknown_tags(prompt: str) -> Iterator[str]:
    """Yield a sentence on each tag of a kind that is not known, which is no text of the prompt either."""
    for tag in extract_networks(prompt).tags:
        if tag.kind.lower() not in (*LORA_KINDS, "hypernet"):
            yield f"The tag {tag.text[:80]} is of no known kind: it is left out."


def _readable(request: GenerationRequest, notes: dict[str, None]) -> GenerationRequest:
    """Leave out LoRA tags that cannot be read; where they are typed they are refused."""

    def change(tag: NetworkTag) -> str | None:
        try:
            read_lora_tags(tag.text)
        except PromptError as error:
            notes[f"A LoRA is left out. {error}"] = None
            return None
        return tag.text

    return request.replace(prompt=change_tags(request.prompt, change))


def _without_hypernetworks(request: GenerationRequest, notes: dict[str, None]) -> GenerationRequest:
    """Leave out what another program painted with and Pastelbot cannot; where it is typed it is refused."""

    def change(tag: NetworkTag) -> str | None:
        if tag.kind.lower() != "hypernet":
            return tag.text
        notes[f"The hypernetwork {':'.join(tag.items)[:60]} is left out: hypernetworks are not supported."] = None
        return None

    return request.replace(prompt=change_tags(request.prompt, change))


def _with_resources(
    request: GenerationRequest, resources: Mapping[str, float], loras: LoraFiles, notes: dict[str, None]
) -> GenerationRequest:
    """Add the LoRAs that civitai lists and the prompt does not name, where they are here."""
    used = {found.path for name in lora_names(request) if (found := loras.find(name)) is not None}
    for name, weight in resources.items():
        found = loras.find(name)
        if found is None:
            notes[f"Civitai lists the LoRA {name[:60]} ({weight:g}), which is not here: it is left out."] = None
        elif found.path not in used:
            notes[f"Civitai lists the LoRA {name[:60]} ({weight:g}): {found.name} is used."] = None
            request = request.replace(prompt=f"{request.prompt} <lora:{found.name}:{weight:g}>")
    return request


def with_embedding_renamed(request: GenerationRequest, theirs: str, ours: str) -> GenerationRequest:
    """Return a request whose prompts name an embedding as it is called here."""
    name = re.compile(rf"(?<!\w){re.escape(theirs)}(?!\w)", re.IGNORECASE)

    def renamed(prompt: str) -> str:
        return name.sub(lambda _found: ours, prompt)

    hires = request.hires and replace(
        request.hires,
        prompt=request.hires.prompt and renamed(request.hires.prompt),
        negative_prompt=request.hires.negative_prompt and renamed(request.hires.negative_prompt),
    )
    prompts = {"prompt": renamed(request.prompt), "negative_prompt": renamed(request.negative_prompt)}
    return request.replace(**prompts, hires=hires)


def lora_names(request: GenerationRequest) -> list[str]:
    """Return the names of the LoRAs in the prompts of a request, each once."""
    prompts = (request.prompt, (request.hires and request.hires.prompt) or "")
    return list(dict.fromkeys(tag.name for prompt in prompts for tag in read_lora_tags(prompt)))
