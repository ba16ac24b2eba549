"""ComfyUI's graph of nodes: walking along its links."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_STEPS = 200  # nodes that are looked at for one value
_NUMBERS = ("value", "seed", "noise_seed", "int", "float", "Value", "number")

# Any: JSON is anything.
Node = Mapping[str, Any]
Graph = Mapping[str, Node]


def graph_of(data: Mapping[str, Any]) -> Graph:
    """Return the nodes of a prompt graph by their numbers, without what is no node."""
    return {str(key): node for key, node in data.items() if _is_node(node)}


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str)


def inputs_of(node: Node) -> Mapping[str, Any]:
    """Return a node's inputs by name: values, and links to other nodes."""
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def linked(graph: Graph, value: object) -> Node | None:
    """Return the node that an input is linked to."""
    return graph.get(str(value[0])) if isinstance(value, list) and len(value) == 2 else None


def upstream(graph: Graph, value: object) -> Iterator[Node]:
    """Yield the nodes behind an input, the nearest first, each once."""
    waiting, known = [value], set[int]()
    while waiting and len(known) < MOST_STEPS:
        node = linked(graph, waiting.pop(0))
        if node is None or id(node) in known:
            continue
        known.add(id(node))
        yield node
        waiting += [each for each in inputs_of(node).values() if isinstance(each, list)][:MOST_STEPS]


def value_of(graph: Graph, value: object) -> str:
    """Return a plain value, through the primitives and reroutes that it is linked to."""
    for _step in range(MOST_STEPS):
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value).strip()
        node = linked(graph, value)
        if node is None:
            return ""
        inputs = inputs_of(node)
        value = next((inputs[name] for name in _NUMBERS if name in inputs), _first_link(inputs))
    return ""


def _first_link(inputs: Mapping[str, Any]) -> object:
    return next((each for each in inputs.values() if isinstance(each, list)), None)


def stem(name: str) -> str:
    """Return a file's name without its folders and its ending."""
    return name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
