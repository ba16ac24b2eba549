"""ComfyUI's workflow, the graph as its page shows it, brought into the form of the graph that was painted with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PRIMITIVE = ("value",)
# What the values of a node's widgets are, in their order; "" is what only the page looks at.
_WIDGETS: Mapping[str, Sequence[str]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "SamplerCustom": ("add_noise", "noise_seed", "", "cfg"),
    "RandomNoise": ("noise_seed", ""),
    "CFGGuider": ("cfg",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CLIPTextEncode": ("text",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "VAELoader": ("vae_name",),
    "UNETLoader": ("unet_name",),
    "UpscaleModelLoader": ("model_name",),
    "LatentUpscale": ("upscale_method", "width", "height"),
    "LatentUpscaleBy": ("upscale_method", "scale_by"),
    "ImageScale": ("upscale_method", "width", "height"),
    "ImageScaleBy": ("upscale_method", "scale_by"),
    "KarrasScheduler": ("steps",),
    "ExponentialScheduler": ("steps",),
    "PolyexponentialScheduler": ("steps",),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
}
_CONTROLS = ("fixed", "increment", "decrement", "randomize")  # of a seed after each picture
_BYPASSED, _MUTED = 4, 2

# Any: JSON is anything.
_Node = Mapping[str, Any]


def graph_of_workflow(workflow: Mapping[str, Any]) -> Mapping[str, _Node]:
    """Return the nodes of a workflow as a prompt graph has them; nodes of unknown kinds have what is linked to them."""
    nodes, links = workflow.get("nodes"), workflow.get("links")
    sources = dict(_sources(links)) if isinstance(links, list) else {}
    known = [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    return {
        str(node.get("id")): {"class_type": str(node.get("type")), "inputs": _inputs(node, sources)}
        for node in known
        if node.get("mode") != _MUTED
    }


def _sources(links: Sequence[object]) -> Iterator[tuple[str, list[object]]]:
    """Yield the links by their number, each with the node and output that it comes from."""
    for link in links:
        if isinstance(link, dict):
            yield str(link.get("id")), [str(link.get("origin_id")), link.get("origin_slot")]
        elif isinstance(link, list) and len(link) >= 3:
            yield str(link[0]), [str(link[1]), link[2]]


def _inputs(node: _Node, sources: Mapping[str, list[object]]) -> Mapping[str, object]:
    given = [each for each in node.get("inputs") or () if isinstance(each, dict)] if _is_list(node, "inputs") else []
    found: dict[str, object] = {} if node.get("mode") == _BYPASSED else dict(_widgets(node, given))
    found.update({str(each.get("name")): sources[key] for each in given if (key := str(each.get("link"))) in sources})
    return found


def _widgets(node: _Node, given: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    values, kind = node.get("widgets_values"), str(node.get("type"))
    if isinstance(values, dict):
        yield from values.items()
    elif isinstance(values, list) and (names := _WIDGETS.get(kind, _PRIMITIVE if kind.startswith("Primitive") else ())):
        yield from ((name, value) for name, value in zip(names, values, strict=False) if name)
    elif isinstance(values, list):
        named = [each["widget"].get("name") for each in given if isinstance(each.get("widget"), dict)]
        plain = [value for value in values if value not in _CONTROLS]
        yield from ((str(name), value) for name, value in zip(named or ("text",), plain, strict=False))


def _is_list(node: _Node, name: str) -> bool:
    return isinstance(node.get(name), list)
