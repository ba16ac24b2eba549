"""What a sampler of ComfyUI's graph was given besides its numbers: LoRAs, VAE, layers of CLIP, a pass after another."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pastelbot.formats.programs.comfyui_graph import Graph, Node, inputs_of, linked, stem, upstream, value_of

_LORA = re.compile(r"lora(?:_name)?(_?\d*)")
_LORA_TAG = re.compile(r"<lora:([^:<>]{1,200}):([^<>]{1,100})>")
_WEIGHTS = ("strength_model", "strength", "model_str", "model_weight", "lora_wt", "lora_model_strength")
_CLIP_WEIGHTS = ("strength_clip", "clip_str", "clip_weight", "lora_clip_strength")
_LAYERS = ("stop_at_clip_layer", "clip_skip")
_NO_VAES = ("", "None", "Baked VAE")
_LATENT_METHODS = {
    "bilinear": "Latent",
    "bicubic": "Latent (bicubic)",
    "nearest-exact": "Latent (nearest-exact)",
}
_PIXEL_METHODS = {"lanczos": "Lanczos", "nearest-exact": "Nearest"}
_SECOND_FIELDS = {
    "steps": "Hires steps",
    "cfg": "Hires CFG Scale",
    "sampler_name": "Hires sampler",
    "scheduler": "Hires schedule type",
}


def loras_of(graph: Graph, nodes: Iterable[Node]) -> Iterator[tuple[str, str]]:
    """Yield the LoRAs of nodes that load some, with their weights as a tag has them."""
    for node in nodes:
        inputs = inputs_of(node)
        for name, value in inputs.items():
            match = _LORA.fullmatch(name)
            if isinstance(value, str) and "lora" in node["class_type"].lower() and "<lora:" in value:
                yield from _LORA_TAG.findall(value)
            elif match is not None and inputs.get("switch" + match[1]) != "Off":
                yield from _lora(graph, inputs, value, match[1])


def _lora(graph: Graph, inputs: Mapping[str, Any], value: object, number: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and isinstance(value.get("lora"), str) and value.get("on") is not False:
        yield stem(value["lora"]), str(value.get("strength", 1))
    elif isinstance(value, str) and value not in ("", "None"):
        model, clip = (
            next((text for each in names if (text := value_of(graph, inputs.get(each + number)))), "")
            for names in (_WEIGHTS, _CLIP_WEIGHTS)
        )
        model = model or "1"
        yield stem(value), model if _same(model, clip or model) else f"{clip}:{model}"


def _same(first: str, second: str) -> bool:
    try:
        return float(first) == float(second)
    except ValueError:
        return first == second


def skipped_layers(graph: Graph, inputs: Mapping[str, Any]) -> str:
    """Return how many layers of CLIP the nearest node leaves out, "" where none says it; it counts from the end."""
    nodes = (
        node for name in ("positive", "conditioning", "clip", "model") for node in upstream(graph, inputs.get(name))
    )
    found = (value_of(graph, inputs_of(node).get(name)) for node in nodes for name in _LAYERS)
    return next((text for text in found if text.removeprefix("-").isdecimal()), "")


def vae_of(graph: Graph) -> str:
    """Return the VAE of a file of its own by which pictures are decoded, "" where it is the checkpoint's."""
    for node in graph.values():
        inputs = inputs_of(node)
        if linked(graph, inputs.get("samples")) is not None and linked(graph, inputs.get("vae")) is not None:
            loader = next((each for each in upstream(graph, inputs["vae"]) if "vae_name" in inputs_of(each)), {})
            name = value_of(graph, inputs_of(loader).get("vae_name"))
            return "" if name in _NO_VAES else stem(name)
    return ""


def second_pass(
    graph: Graph, last: Node, first: Node, inputs: Mapping[str, Any], size: tuple[int, int] | None
) -> dict[str, str]:
    """Return the fields of a hires fix for a sampler that goes on with what another has painted.

    `inputs` are the last one's, and `size` the picture's. One that goes on without new noise ends the same pass.
    """
    if inputs.get("add_noise") == "disable":
        return {}
    fields = {field: text for name, field in _SECOND_FIELDS.items() if (text := value_of(graph, inputs.get(name)))}
    between = []
    for node in upstream(graph, inputs_of(last).get("latent_image")):
        if node is first:
            break
        between.append(node)
    fields["Denoising strength"] = value_of(graph, inputs.get("denoise")) or _share(graph, inputs)
    return fields | _enlarging(graph, between, size)


def _share(graph: Graph, inputs: Mapping[str, Any]) -> str:
    """Return the denoising strength of a sampler that begins at one of its steps."""
    steps, start = (value_of(graph, inputs.get(name)) for name in ("steps", "start_at_step"))
    if not (steps.isdecimal() and start.isdecimal()) or not 0 <= int(start) < int(steps) < 10**6:
        return ""
    return f"{1 - int(start) / int(steps):.4g}"


def _enlarging(graph: Graph, nodes: Iterable[Node], size: tuple[int, int] | None) -> dict[str, str]:
    """Return how a picture was enlarged between two samplers, to the picture's size where that is known."""
    fields: dict[str, str] = {}
    for node in nodes:
        inputs = inputs_of(node)
        method, model = (value_of(graph, inputs.get(name)) for name in ("upscale_method", "model_name"))
        if "upscale_model" in inputs:
            loader = next(upstream(graph, inputs["upscale_model"]), {})
            model = value_of(graph, inputs_of(loader).get("model_name"))
        if "Latent" in node["class_type"] and method:
            fields.setdefault("Hires upscaler", _LATENT_METHODS.get(method, f"Latent ({method})"))
        elif model and "pscale" in node["class_type"]:
            fields["Hires upscaler"] = stem(model)
        elif method:
            fields.setdefault("Hires upscaler", _PIXEL_METHODS.get(method, method))
        width, height, scale = (value_of(graph, inputs.get(name)) for name in ("width", "height", "scale_by"))
        if width and height:
            fields.setdefault("Hires resize", f"{width}x{height}")
        elif scale:
            fields.setdefault("Hires upscale", scale)
    if size is not None:
        fields["Hires resize"] = f"{size[0]}x{size[1]}"
    return fields
