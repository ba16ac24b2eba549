"""ComfyUI's graph of nodes: the settings of the sampler that made the picture, followed along its inputs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pastelbot.formats.programs.comfyui_graph import (
    MOST_STEPS,
    Graph,
    Node,
    graph_of,
    inputs_of,
    linked,
    stem,
    upstream,
    value_of,
)
from pastelbot.formats.programs.comfyui_models import loras_of, second_pass, skipped_layers, vae_of
from pastelbot.formats.programs.settings import ProgramSettings, with_loras

_DEEPEST = 50  # nodes behind each other for one text
_FIELDS = {
    "seed": "Seed",
    "noise_seed": "Seed",
    "steps": "Steps",
    "cfg": "CFG scale",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
}
_PARTS = ("guider", "sampler", "sigmas", "noise")  # a custom sampler's inputs, nodes that have the fields
_PIPE = re.compile(r"pipe|ctx|context")  # what has model, prompts and latents in one link
_PROMPTS = ("positive", "negative", "conditioning")
_TEXTS = ("text", "string", "value", "prompt", "populated_text", "text_g", "text_l", "clip_l", "t5xxl")
_JOINED_TEXT = re.compile(r"(?:text|string|str|part|prompt)_?[a-z0-9]{1,2}")
_JOINS_TEXTS = re.compile(r"concat|join|append|combine|stringfunction", re.IGNORECASE)
_DELIMITERS = ("delimiter", "separator")
_NOT_TEXTS = ("clip", "model", "vae", "control_net", "image")
_EMBEDDING = re.compile(r"\bembedding:([^\s,()<>\[\]:|]++)")
_EMBEDDING_END = re.compile(r"\.(?:pt|bin|safetensors)\Z")
_MODELS = ("ckpt_name", "unet_name")
_SIDES = (("width", "height"), ("empty_latent_width", "empty_latent_height"))


def comfyui_settings(data: Mapping[str, Any], size: tuple[int, int] | None) -> ProgramSettings | None:
    """Return the settings of a prompt graph; None where it has no sampler. `size` is the picture's, if it has none.

    A sampler that goes on with what another has painted is a hires fix.
    """
    graph = graph_of(data)
    last = _sampler(graph)
    if last is None:
        return None
    latents = inputs_of(last).get("latent_image")
    *_between, first = (last, *(node for node in upstream(graph, latents) if _samples(node)))
    if first is last:
        return _settings(graph, last, size)
    settings, again = _settings(graph, first, size), _settings(graph, last, size)
    fields = {**settings.fields, **second_pass(graph, last, first, _with_parts(graph, inputs_of(last)), size)}
    if "Hires steps" in fields and again.prompt != settings.prompt:
        fields["Hires prompt"] = again.prompt
    if "Hires steps" in fields and again.negative_prompt != settings.negative_prompt:
        fields["Hires negative prompt"] = again.negative_prompt
    return settings._replace(fields=fields)


def _settings(graph: Graph, sampler: Node, size: tuple[int, int] | None) -> ProgramSettings:
    """Return the settings of a sampler's own pass."""
    inputs = _with_parts(graph, inputs_of(sampler))
    fields = {field: text for name, field in _FIELDS.items() if (text := value_of(graph, inputs.get(name)))}
    denoise = value_of(graph, inputs.get("denoise"))
    if denoise not in ("", "1", "1.0"):
        fields["Denoising strength"] = denoise
    if "Schedule type" not in fields and (sigmas := linked(graph, inputs.get("sigmas"))) is not None:
        fields["Schedule type"] = sigmas["class_type"].removesuffix("Scheduler")  # a node for each of them
    _add_size(graph, inputs, fields, size)
    nodes = list(upstream(graph, inputs.get("model")))
    names = (inputs_of(node).get(name) for node in nodes for name in _MODELS)
    model = next((name for name in names if isinstance(name, str)), "")
    fields |= {"Model": stem(model), "VAE": vae_of(graph), "Clip skip": skipped_layers(graph, inputs)}
    fields["RNG"] = "CPU"  # it draws its noise on the processor
    texts = _Texts(graph)
    negative = texts.of(inputs.get("negative"), "negative")
    prompt = texts.of(inputs.get("positive", inputs.get("conditioning")), "positive") or _only_text(graph, negative)
    loras = dict(loras_of(graph, reversed(nodes)))
    return ProgramSettings(with_loras(_plain(prompt), loras), _plain(negative), fields)


def _plain(prompt: str) -> str:
    """Return a prompt with embeddings by their names alone, as the webui has them."""
    return _EMBEDDING.sub(lambda match: _EMBEDDING_END.sub("", re.split(r"[\\/]", match[1])[-1]), prompt)


def _sampler(graph: Graph) -> Node | None:
    """Return the sampler that is nearest to a picture that is saved, else shown, else the first one."""
    for kind in ("Save", "Preview"):
        for node in graph.values():
            if kind in node["class_type"]:
                inputs = inputs_of(node)
                nodes = upstream(graph, inputs.get("images", inputs.get("image")))
                if (found := next(filter(_samples, nodes), None)) is not None:
                    return found
    return next(filter(_samples, graph.values()), None)


def _samples(node: Node) -> bool:
    names = inputs_of(node).keys()
    return {"steps", "sampler_name"} <= names or {"sampler", "sigmas"} <= names


def _with_parts(graph: Graph, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a sampler's inputs with those of the nodes that a custom sampler is put together of."""
    wanted = {*_FIELDS, *_PROMPTS, "denoise", "model", "latent_image"}
    found = dict(inputs)
    for part in (*_PARTS, *filter(_PIPE.search, inputs)):
        for node in upstream(graph, inputs.get(part)):
            if {*_FIELDS, *_PROMPTS} & inputs_of(node).keys():
                found = {**{name: value for name, value in inputs_of(node).items() if name in wanted}, **found}
                break
    pipe = next(filter(_PIPE.search, inputs), None)
    return {"model": inputs[pipe], "latent_image": inputs[pipe], **found} if pipe else found


def _add_size(graph: Graph, inputs: Mapping[str, Any], fields: dict[str, str], size: tuple[int, int] | None) -> None:
    for node in upstream(graph, inputs.get("latent_image")):
        for sides in _SIDES:
            width, height = (value_of(graph, inputs_of(node).get(name)) for name in sides)
            if width and height:
                fields["Size"] = f"{width}x{height}"
                return
    if size is not None:
        fields["Size"] = f"{size[0]}x{size[1]}"


@dataclass
class _Texts:
    """Finds the texts that conditionings are made of; what leads in a circle or too far has none."""

    graph: Graph
    left: int = 10 * MOST_STEPS

    def of(self, value: object, role: str, depth: int = 0) -> str:
        """Return the prompt behind an input. `role` is "positive" or "negative", for nodes that have both."""
        if isinstance(value, str):
            return value.strip()
        node = linked(self.graph, value)
        self.left -= 1
        if node is None or depth > _DEEPEST or self.left < 0 or node["class_type"] == "ConditioningZeroOut":
            return ""
        inputs, kind = inputs_of(node), node["class_type"]
        if kind in ("ConditioningConcat", "ConditioningCombine"):
            return _composed(kind, role, [self.of(each, role, depth + 1) for each in _links(inputs)])
        if parts := [name for name in inputs if _JOINED_TEXT.fullmatch(name)] if _JOINS_TEXTS.search(kind) else []:
            return self._joined(kind, inputs, [self._whole(inputs[name], role, depth + 1) for name in parts])
        for name in (role, f"text_{role}", f"{role}_prompt", *_TEXTS):
            if name in inputs:
                return self.of(inputs[name], role, depth + 1)
        found = (self.of(each, role, depth + 1) for each in _links(inputs))
        return next((text for text in found if text), "")

    def _whole(self, value: object, role: str, depth: int) -> str:
        """Do as `of`, and keep the spaces at the ends of what is joined."""
        return value if isinstance(value, str) else self.of(value, role, depth)

    def _joined(self, kind: str, inputs: Mapping[str, Any], parts: Iterable[str]) -> str:
        given = next((inputs[name] for name in _DELIMITERS if name in inputs), ", ")
        delimiter = value_of(self.graph, given) if isinstance(given, list) else str(given).replace("\\n", "\n")
        kept = parts if kind == "StringConcatenate" else filter(None, parts)  # ComfyUI's own joins empty ones too
        return delimiter.join(kept).strip()


def _links(inputs: Mapping[str, Any]) -> Sequence[object]:
    """Return what may lead to a text, conditionings first, and the one that another is put behind before that."""
    names = [name for name, value in inputs.items() if isinstance(value, list) and name not in _NOT_TEXTS]
    names.sort(key=lambda name: (not name.startswith("conditioning"), name == "conditioning_from"))
    return [inputs[name] for name in names]


def _composed(kind: str, role: str, parts: Sequence[str]) -> str:
    """Return prompts of which one conditioning is made, as the webui writes them.

    Concatenated ones follow each other in chunks of their own. Of combined ones the mean of what they predict counts.
    """
    parts = [part for part in parts if part]
    if kind == "ConditioningConcat":
        return " BREAK ".join(parts)
    if role == "negative" or len(parts) < 2:
        return ", ".join(parts)
    return " AND ".join(f"{part} :{1 / len(parts):.4g}" for part in parts)


def _only_text(graph: Graph, other: str) -> str:
    """Return the prompt of a graph with a single one, whatever it is linked to; `other` is its negative prompt."""
    texts = [inputs_of(node).get("text") for node in graph.values() if node["class_type"] == "CLIPTextEncode"]
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) and texts[0].strip() != other else ""
