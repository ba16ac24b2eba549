"""`pastelbot export onnx`: a folder that ONNX Runtime, and so Pastelbot's own engine, paints with."""

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pastelbot.config import CheckpointSettings
from pastelbot.diffusion.checkpoint.devices import PRECISIONS
from pastelbot.diffusion.networks.build import build_text_encoder, build_unet, build_vae
from pastelbot.diffusion.networks.vae import AutoencoderKL
from pastelbot.diffusion.weights.files import Weights
from pastelbot.diffusion.weights.ldm import Config
from pastelbot.errors import WorkshopError, install_command
from pastelbot.formats.exported import MODEL, ONNX, TEXT_ENCODER, UNET, VAE_DECODER, VAE_ENCODER
from pastelbot.workshop.export.folder import (
    check_new_folder,
    new_folder,
    write_json,
    write_manifest,
    write_surroundings,
)
from pastelbot.workshop.export.networks import TOKENS, DecodeCall, EncodeCall, FusedAttention, TextLayers, UnetCall
from pastelbot.workshop.export.source import read_source, tokenizer_of
from pastelbot.workshop.writing import Progress, silent

_OPSETS = range(18, 24)
_DEFAULT_OPSET = 20
_NEEDED = ("onnx", "onnxscript")
_ANY = torch.export.Dim.AUTO
_INDEX = {
    "_class_name": "OnnxStableDiffusionPipeline",
    "safety_checker": [None, None],
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "PNDMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    **{part: ["diffusers", "OnnxRuntimeModel"] for part in (TEXT_ENCODER, UNET, VAE_ENCODER, VAE_DECODER)},
}


@dataclass(frozen=True, kw_only=True)
class OnnxOptions:
    """How the graphs are written.

    `plain` keeps to standard operators: for other runtimes, at the price of far more memory for large pictures.
    """

    opset: int = _DEFAULT_OPSET
    precision: str = "fp32"
    plain: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Graph:
    """One network to be traced: with example inputs by name, whose listed dimensions may be of any size."""

    part: str
    network: nn.Module
    config: Mapping[str, Any]
    output: str
    inputs: Mapping[str, torch.Tensor]
    free: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        return sum(tensor.nbytes for tensor in self.network.state_dict().values())


def export_onnx(
    reference: str,
    out: Path,
    settings: CheckpointSettings,
    options: OnnxOptions,
    progress: Progress = silent,
) -> None:
    """Write a checkpoint as an ONNX folder; raises PastelError, and then nothing has its name."""
    _check(options)
    check_new_folder(out)
    weights = read_source(reference, settings, progress)
    tokenizer = tokenizer_of(weights, settings)
    graphs = _graphs(weights, options)
    total, done = sum(graph.size for graph in graphs), 0
    with new_folder(out, total) as folder:
        for graph in graphs:
            progress(f"Exporting {graph.part}", done, total)
            _write(graph, folder / graph.part, options)
            done += graph.size
        write_json(folder / "model_index.json", {**_INDEX, "_pastelbot_name": weights.name})
        write_surroundings(folder, weights, tokenizer)
        write_manifest(folder, ONNX, weights, options.precision, opset=options.opset, plain=options.plain)
        progress("Exported", total, total)


def _check(options: OnnxOptions) -> None:
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise WorkshopError(
            f"Exporting to ONNX needs the packages onnx and onnxscript: install them with `{install_command('onnx')}`."
        )
    if options.opset not in _OPSETS:
        raise WorkshopError(f"The opset {options.opset} is not possible; take {_OPSETS[0]} to {_OPSETS[-1]}.")
    if options.precision not in ("fp32", "fp16"):
        raise WorkshopError(f"The precision {options.precision!r} is not possible for ONNX; take fp32 or fp16.")


def _graphs(weights: Weights, options: OnnxOptions) -> list[_Graph]:
    cpu, dtype = torch.device("cpu"), PRECISIONS[options.precision]
    unet = build_unet(weights.unet, cpu, dtype)
    # In half precision the decoder of Stable Diffusion 1.x overflows on some latents: it stays in float32.
    vae = build_vae(weights.own_vae, cpu, torch.float32)
    text = TextLayers(build_text_encoder(weights.text_encoder, cpu, dtype))
    if not options.plain:
        unet.set_attn_processor(FusedAttention())
        vae.set_attn_processor(FusedAttention())
    width, context = weights.text_encoder.config["hidden_size"], weights.unet.config["cross_attention_dim"]
    return [
        _Graph(
            part=TEXT_ENCODER,
            network=text,
            config=weights.text_encoder.config,
            output="layers",
            inputs={
                "input_ids": torch.arange(2 * TOKENS).view(2, TOKENS),
                "learnt": torch.full((2, TOKENS, width), torch.nan, dtype=dtype),
            },
            free={"input_ids": (0,), "learnt": (0,)},
        ),
        _Graph(
            part=UNET,
            network=UnetCall(unet),
            config=weights.unet.config,
            output="out_sample",
            # Odd sides, because even ones would let the tracing assume that all are.
            inputs={
                "sample": torch.zeros(2, 4, 9, 11, dtype=dtype),
                "timestep": torch.tensor([1.0, 999.0]),
                "encoder_hidden_states": torch.zeros(2, 2 * TOKENS, context, dtype=dtype),
            },
            free={"sample": (0, 2, 3), "timestep": (0,), "encoder_hidden_states": (0, 1)},
        ),
        *_vae_graphs(vae, weights.own_vae.config),
    ]


def _vae_graphs(vae: AutoencoderKL, config: Config) -> list[_Graph]:
    return [
        _Graph(
            part=VAE_ENCODER,
            network=EncodeCall(vae),
            config=config,
            output="latent_parameters",
            inputs={"sample": torch.zeros(2, 3, 72, 88)},
            free={"sample": (0, 2, 3)},
        ),
        _Graph(
            part=VAE_DECODER,
            network=DecodeCall(vae),
            config=config,
            output="sample",
            inputs={"latent_sample": torch.zeros(2, 4, 9, 11)},
            free={"latent_sample": (0, 2, 3)},
        ),
    ]


def _write(graph: _Graph, folder: Path, options: OnnxOptions) -> None:
    folder.mkdir()
    with torch.no_grad(), _quietly():
        program = torch.onnx.export(
            graph.network.eval(),
            (),
            kwargs=dict(graph.inputs),
            dynamo=True,
            verbose=False,
            opset_version=options.opset,
            input_names=list(graph.inputs),
            output_names=[graph.output],
            dynamic_shapes={name: dict.fromkeys(free, _ANY) for name, free in graph.free.items()},
        )
        if program is None:
            raise AssertionError("the exporter gave no program")
        if "learnt" in graph.inputs:
            _default_to_nan(program, graph.inputs["learnt"])
        _forget_the_code(program)
        # Weights in a file of their own: a graph may not be larger than 2 GB.
        program.save(folder / MODEL, external_data=True)
    write_json(folder / "config.json", graph.config)


def _default_to_nan(program: torch.onnx.ONNXProgram, learnt: torch.Tensor) -> None:
    """Let the learnt vectors be left out: then there is none."""
    import onnx_ir

    place = next(value for value in program.model.graph.inputs if value.name == "learnt")
    nothing = torch.full((1, 1, learnt.shape[-1]), torch.nan, dtype=learnt.dtype).numpy()
    place.shape = onnx_ir.Shape(["learnt_rows", "learnt_tokens", learnt.shape[-1]])
    place.const_value = onnx_ir.tensor(np.ascontiguousarray(nothing), name="learnt")
    program.model.graph.register_initializer(place)


def _forget_the_code(program: torch.onnx.ONNXProgram) -> None:
    """Leave out the lines of code that each operator came from, with the paths of this machine."""
    graph = program.model.graph
    for node in graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*graph.inputs, *graph.initializers.values()):
        value.metadata_props.clear()
    graph.metadata_props.clear()
    program.model.metadata_props.clear()


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence the exporter's remarks about missing packages and its own future."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
