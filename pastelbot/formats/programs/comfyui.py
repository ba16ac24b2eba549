"""ComfyUI's graph of nodes: the settings of the sampler that made the picture, followed along its inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from pastelbot.formats.programs.settings import ProgramSettings, with_loras

_MOST_STEPS = 200  # nodes that are looked at for one value
_OUTPUTS = ("SaveImage", "PreviewImage")
_TEXTS = ("text", "string", "value", "prompt", "populated_text", "text_g", "string_a")
_NUMBERS = ("value", "seed", "noise_seed", "int", "float", "Value", "number")
_FIELDS = {
    "seed": "Seed",
    "noise_seed": "Seed",
    "steps": "Steps",
    "cfg": "CFG scale",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
}

# Any: JSON is anything.
_Node = Mapping[str, Any]
_Graph = Mapping[str, _Node]


def comfyui_settings(data: Mapping[str, Any], size: tuple[int, int]) -> ProgramSettings | None:
    """Return the settings of a prompt graph; None where it has no sampler. `size` is the picture's, if it has none."""
    graph: _Graph = {str(key): node for key, node in data.items() if _is_node(node)}
    sampler = _sampler(graph)
    if sampler is None:
        return None
    inputs = _inputs(sampler)
    fields = {field: text for name, field in _FIELDS.items() if (text := _value(graph, inputs.get(name), _NUMBERS))}
    for node in _upstream(graph, inputs.get("latent_image")):
        width, height = (_value(graph, _inputs(node).get(name), _NUMBERS) for name in ("width", "height"))
        if width and height:
            fields["Size"] = f"{width}x{height}"
            break
    fields.setdefault("Size", f"{size[0]}x{size[1]}")
    loras: dict[str, str] = {}
    for node in _upstream(graph, inputs.get("model")):
        model = _inputs(node)
        if isinstance(model.get("lora_name"), str):
            loras.setdefault(_stem(model["lora_name"]), _value(graph, model.get("strength_model"), _NUMBERS) or "1")
        if isinstance(model.get("ckpt_name"), str):
            fields.setdefault("Model", _stem(model["ckpt_name"]))
    prompt = _conditioning(graph, inputs.get("positive")) or _only_text(graph)
    return ProgramSettings(with_loras(prompt, loras), _conditioning(graph, inputs.get("negative")), fields)


def _sampler(graph: _Graph) -> _Node | None:
    """Return the sampler that is nearest to a picture that is shown or saved, else the first one."""
    for node in graph.values():
        if node["class_type"] in _OUTPUTS:
            found = next((each for each in _upstream(graph, _inputs(node).get("images")) if _samples(each)), None)
            if found is not None:
                return found
    return next((node for node in graph.values() if _samples(node)), None)


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str)


def _samples(node: _Node) -> bool:
    return {"steps", "sampler_name"} <= _inputs(node).keys()


def _inputs(node: _Node) -> Mapping[str, Any]:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _linked(graph: _Graph, value: object) -> _Node | None:
    """Return the node that an input is linked to."""
    return graph.get(str(value[0])) if isinstance(value, list) and len(value) == 2 else None


def _upstream(graph: _Graph, value: object) -> Iterator[_Node]:
    """Yield the nodes behind an input, the nearest first, each once."""
    waiting, seen = [value], 0
    known: set[int] = set()
    while waiting and seen < _MOST_STEPS:
        node = _linked(graph, waiting.pop(0))
        if node is None or id(node) in known:
            continue
        known.add(id(node))
        seen += 1
        yield node
        waiting += [each for each in _inputs(node).values() if isinstance(each, list)][:_MOST_STEPS]


def _value(graph: _Graph, value: object, names: tuple[str, ...]) -> str:
    """Return a plain value, through the primitives and reroutes that it is linked to."""
    for _step in range(_MOST_STEPS):
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value).strip()
        node = _linked(graph, value)
        if node is None:
            return ""
        inputs = _inputs(node)
        links = (each for each in inputs.values() if isinstance(each, list))
        value = next((inputs[name] for name in names if name in inputs), next(links, None))
    return ""


def _conditioning(graph: _Graph, value: object) -> str:
    """Return the texts that a conditioning is made of, joined by commas."""
    texts: dict[str, None] = {}
    for node in _upstream(graph, value):
        inputs = _inputs(node)
        if "clip" in inputs or node["class_type"].startswith("CLIPTextEncode"):
            name = next((name for name in _TEXTS if name in inputs), None)
            text = "" if name is None else _joined(graph, inputs[name])
            if text:
                texts[text] = None
            break
    return ", ".join(texts)


def _only_text(graph: _Graph) -> str:
    """Return the prompt of a graph with a single one, whatever it is linked to."""
    texts = [_inputs(node).get("text") for node in graph.values() if node["class_type"] == "CLIPTextEncode"]
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else ""


def _joined(graph: _Graph, value: object) -> str:
    """Return a text, that of a node that joins several with its delimiter."""
    node = _linked(graph, value)
    if node is not None and {"string_a", "string_b"} <= _inputs(node).keys():
        inputs = _inputs(node)
        parts = (_value(graph, inputs[name], _TEXTS) for name in ("string_a", "string_b"))
        return str(inputs.get("delimiter", ", ")).join(part for part in parts if part)
    return _value(graph, value, _TEXTS)


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
