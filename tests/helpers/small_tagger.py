"""A tagger of the WD14 interface, small enough to be made by a test: it judges a picture by its mean colour.

A red picture shows a red-haired saber and is explicit, a blue one shows the sky and is questionable, all others are
harmless.
"""

import csv

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pastelbot.tagging.files import TaggerOptions

SIDE = 32
_RED, _BLUE, _GREEN = (-8, -8, 8), (8, -8, -8), (-8, 8, -8)  # weights of blue, green and red

# name, category, weights, bias
OUTPUTS = [
    ("general", 9, (0, 0, 0), 1),
    ("sensitive", 9, (0, 0, 0), -3),
    ("questionable", 9, _BLUE, -2),
    ("explicit", 9, _RED, -2),
    ("simple_background", 0, (0, 0, 0), 3),
    ("red_hair", 0, _RED, -2),
    ("blue_sky", 0, _BLUE, -2),
    ("green_(colour)", 0, _GREEN, -2),
    ("o_o", 0, _RED, -5),
    ("saber_(fate)", 4, _RED, -2),
    ("hatsune_miku", 4, (0, 0, 0), 1),
]


def make_tagger(folder, *, outputs=None, shape=("batch", SIDE, SIDE, 3), nodes=None, rows=None):
    """Write model.onnx and selected_tags.csv; return the folder."""
    outputs = outputs or OUTPUTS
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.array([weights for _name, _category, weights, _bias in outputs], np.float32).T / 255
    bias = np.array([bias for *_, bias in outputs], np.float32)
    constants = {"weights": weights, "bias": bias, "axes": np.array([1, 2], np.int64)}
    graph = helper.make_graph(
        nodes or usual_nodes(),
        "tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    table = [(number, name, category, 1) for number, (name, category, *_) in enumerate(outputs)]
    write_labels(folder, rows or [("tag_id", "name", "category", "count"), *table])
    return folder


def usual_nodes(last="Sigmoid"):
    return [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node(last, ["sum"], ["output"]),
    ]


def nodes_that_fail_on_red():
    """Look something up at a place that the mean of red decides: for a red picture it is not there."""
    return [
        *usual_nodes()[:3],
        helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.array(2, np.int64))),
        helper.make_node("Gather", ["mean", "two"], ["red"], axis=1),
        helper.make_node("Constant", [], ["one"], value=numpy_helper.from_array(np.array([1], np.float32))),
        helper.make_node("ReduceMean", ["mean"], ["all"], keepdims=0),
        helper.make_node("Sub", ["red", "all"], ["excess"]),
        helper.make_node("Relu", ["excess"], ["above"]),
        helper.make_node("Cast", ["above"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["one", "place"], ["looked_up"]),
        helper.make_node("Sigmoid", ["sum"], ["scores"]),
        helper.make_node("Mul", ["scores", "looked_up"], ["output"]),
    ]


def make_echo(folder, side):
    """Write a tagger that answers with the pixels it is given: its tags are numbered, their scores 255ths."""
    ratings = [(number, name, 9, 1) for number, (name, category, *_) in enumerate(OUTPUTS) if category == 9]
    pixels = [(number, str(number), 0, 1) for number in range(side * side * 3)]
    nodes = [
        helper.make_node("Constant", [], ["one_row"], value=numpy_helper.from_array(np.array([1, -1], np.int64))),
        helper.make_node("Constant", [], ["white"], value=numpy_helper.from_array(np.array(255, np.float32))),
        helper.make_node("Constant", [], ["ratings"], value=numpy_helper.from_array(np.zeros((1, 4), np.float32))),
        helper.make_node("Reshape", ["input", "one_row"], ["pixels"]),
        helper.make_node("Div", ["pixels", "white"], ["scores"]),
        helper.make_node("Concat", ["ratings", "scores"], ["output"], axis=1),
    ]
    rows = [("tag_id", "name", "category", "count"), *ratings, *pixels]
    return make_tagger(folder, shape=(1, side, side, 3), nodes=nodes, rows=rows)


def write_labels(folder, rows):
    with (folder / "selected_tags.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def nodes_of_any_input():
    return [helper.make_node("Sigmoid", ["bias"], ["output"])]


def options_of(folder, **changes):
    return TaggerOptions(**{"repo": "owner/nothing", "path": folder, "threads": 1, **changes})
