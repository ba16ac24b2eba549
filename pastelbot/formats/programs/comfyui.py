"""ComfyUI's graph of nodes: the settings of the sampler that made the picture, followed along its inputs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pastelbot.formats.programs.settings import ProgramSettings, with_loras

_MOST_STEPS = 200  # nodes that are looked at for one value
_DEEPEST = 50  # nodes behind each other for one text
_NUMBERS = ("value", "seed", "noise_seed", "int", "float", "Value", "number")
_FIELDS = {
    "seed": "Seed",
    "noise_seed": "Seed",
    "steps": "Steps",
    "cfg": "CFG scale",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
}
_PARTS = ("guider", "sampler", "sigmas", "noise")  # a custom sampler's inputs, nodes that have the fields
_PROMPTS = ("positive", "negative", "conditioning")
_TEXTS = ("text", "string", "value", "prompt", "populated_text", "text_g")
_JOINED_TEXT = re.compile(r"(?:text|string|str|part|prompt)_?[a-z0-9]{1,2}")
_JOINS_TEXTS = re.compile(r"concat|join|append|combine|stringfunction", re.IGNORECASE)
_DELIMITERS = ("delimiter", "separator")
_NOT_TEXTS = ("clip", "model", "vae", "control_net", "image")
_LORA = re.compile(r"lora(?:_name)?(_?\d*)")
_WEIGHTS = ("strength_model", "strength", "model_str", "model_weight", "lora_wt")
_CLIP_WEIGHTS = ("strength_clip", "clip_str", "clip_weight")

# Any: JSON is anything.
_Node = Mapping[str, Any]
_Graph = Mapping[str, _Node]


def comfyui_settings(data: Mapping[str, Any], size: tuple[int, int] | None) -> ProgramSettings | None:
    """Return the settings of a prompt graph; None where it has no sampler. `size` is the picture's, if it has none."""
    graph: _Graph = {str(key): node for key, node in data.items() if _is_node(node)}
    sampler = _sampler(graph)
    if sampler is None:
        return None
    inputs = _with_parts(graph, _inputs(sampler))
    fields = {field: text for name, field in _FIELDS.items() if (text := _value(graph, inputs.get(name)))}
    denoise = _value(graph, inputs.get("denoise"))
    if denoise not in ("", "1", "1.0"):
        fields["Denoising strength"] = denoise
    _add_size(graph, inputs, fields, size)
    nodes = list(_upstream(graph, inputs.get("model")))
    model = next((name for node in nodes if isinstance(name := _inputs(node).get("ckpt_name"), str)), "")
    fields |= {"Model": _stem(model), "RNG": "CPU"}  # it draws its noise on the processor
    texts = _Texts(graph)
    prompt = texts.of(inputs.get("positive", inputs.get("conditioning")), "positive") or _only_text(graph)
    loras = dict(each for node in reversed(nodes) for each in _loras(graph, _inputs(node)))
    return ProgramSettings(with_loras(prompt, loras), texts.of(inputs.get("negative"), "negative"), fields)


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str)


def _sampler(graph: _Graph) -> _Node | None:
    """Return the sampler that is nearest to a picture that is saved, else shown, else the first one."""
    for kind in ("Save", "Preview"):
        for node in graph.values():
            if kind in node["class_type"]:
                inputs = _inputs(node)
                nodes = _upstream(graph, inputs.get("images", inputs.get("image")))
                if (found := next(filter(_samples, nodes), None)) is not None:
                    return found
    return next(filter(_samples, graph.values()), None)


def _samples(node: _Node) -> bool:
    names = _inputs(node).keys()
    return {"steps", "sampler_name"} <= names or {"sampler", "sigmas"} <= names


def _with_parts(graph: _Graph, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a sampler's inputs with those of the nodes that a custom sampler is put together of."""
    wanted = {*_FIELDS, *_PROMPTS, "denoise", "model"}
    found = dict(inputs)
    for part in _PARTS:
        for node in _upstream(graph, inputs.get(part)):
            if {*_FIELDS, *_PROMPTS} & _inputs(node).keys():
                found = {**{name: value for name, value in _inputs(node).items() if name in wanted}, **found}
                break
    return found


def _add_size(graph: _Graph, inputs: Mapping[str, Any], fields: dict[str, str], size: tuple[int, int] | None) -> None:
    for node in _upstream(graph, inputs.get("latent_image")):
        width, height = (_value(graph, _inputs(node).get(name)) for name in ("width", "height"))
        if width and height:
            fields["Size"] = f"{width}x{height}"
            return
    if size is not None:
        fields["Size"] = f"{size[0]}x{size[1]}"


def _loras(graph: _Graph, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the LoRAs of a node that loads some, with their weights as a tag has them."""
    for name, value in inputs.items():
        match = _LORA.fullmatch(name)
        if match is None:
            continue
        if isinstance(value, dict) and isinstance(value.get("lora"), str) and value.get("on") is not False:
            yield _stem(value["lora"]), str(value.get("strength", 1))
        elif isinstance(value, str) and value not in ("", "None"):
            model, clip = (
                next((text for each in names if (text := _value(graph, inputs.get(each + match[1])))), "")
                for names in (_WEIGHTS, _CLIP_WEIGHTS)
            )
            model = model or "1"
            yield _stem(value), model if _same(model, clip or model) else f"{clip}:{model}"


def _same(first: str, second: str) -> bool:
    try:
        return float(first) == float(second)
    except ValueError:
        return first == second


def _inputs(node: _Node) -> Mapping[str, Any]:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _linked(graph: _Graph, value: object) -> _Node | None:
    """Return the node that an input is linked to."""
    return graph.get(str(value[0])) if isinstance(value, list) and len(value) == 2 else None


def _upstream(graph: _Graph, value: object) -> Iterator[_Node]:
    """Yield the nodes behind an input, the nearest first, each once."""
    waiting, known = [value], set[int]()
    while waiting and len(known) < _MOST_STEPS:
        node = _linked(graph, waiting.pop(0))
        if node is None or id(node) in known:
            continue
        known.add(id(node))
        yield node
        waiting += [each for each in _inputs(node).values() if isinstance(each, list)][:_MOST_STEPS]


def _value(graph: _Graph, value: object) -> str:
    """Return a plain value, through the primitives and reroutes that it is linked to."""
    for _step in range(_MOST_STEPS):
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value).strip()
        node = _linked(graph, value)
        if node is None:
            return ""
        inputs = _inputs(node)
        value = next((inputs[name] for name in _NUMBERS if name in inputs), _first_link(inputs))
    return ""


def _first_link(inputs: Mapping[str, Any]) -> object:
    return next((each for each in inputs.values() if isinstance(each, list)), None)


@dataclass
class _Texts:
    """Finds the texts that conditionings are made of; what leads in a circle or too far has none."""

    graph: _Graph
    left: int = 10 * _MOST_STEPS

    def of(self, value: object, role: str, depth: int = 0) -> str:
        """Return the prompt behind an input. `role` is "positive" or "negative", for nodes that have both."""
        if isinstance(value, str):
            return value.strip()
        node = _linked(self.graph, value)
        self.left -= 1
        if node is None or depth > _DEEPEST or self.left < 0 or node["class_type"] == "ConditioningZeroOut":
            return ""
        inputs, kind = _inputs(node), node["class_type"]
        if kind in ("ConditioningConcat", "ConditioningCombine"):
            return _composed(kind, role, [self.of(each, role, depth + 1) for each in _links(inputs)])
        if parts := [name for name in inputs if _JOINED_TEXT.fullmatch(name)] if _JOINS_TEXTS.search(kind) else []:
            return self._joined(kind, inputs, [self._whole(inputs[name], role, depth + 1) for name in parts])
        for name in (role, *_TEXTS):
            if name in inputs:
                return self.of(inputs[name], role, depth + 1)
        found = (self.of(each, role, depth + 1) for each in _links(inputs))
        return next((text for text in found if text), "")

    def _whole(self, value: object, role: str, depth: int) -> str:
        """Do as `of`, and keep the spaces at the ends of what is joined."""
        return value if isinstance(value, str) else self.of(value, role, depth)

    def _joined(self, kind: str, inputs: Mapping[str, Any], parts: Iterable[str]) -> str:
        given = next((inputs[name] for name in _DELIMITERS if name in inputs), ", ")
        delimiter = _value(self.graph, given) if isinstance(given, list) else str(given).replace("\\n", "\n")
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


def _only_text(graph: _Graph) -> str:
    """Return the prompt of a graph with a single one, whatever it is linked to."""
    texts = [_inputs(node).get("text") for node in graph.values() if node["class_type"] == "CLIPTextEncode"]
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else ""


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
