"""OpenVINO on the CPU: from a network of torch to a function of tensors of one shape, kept on disk."""

import io
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

import pastelbot
from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_calls import Predict

_DEVICE = "CPU"
# Without this hint processors that have bfloat16 would always compute in it.
_PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}

Graph = Any  # openvino has no types
Compiled = Any


def is_installed() -> bool:
    """Return whether the extra is there."""
    return find_spec("openvino") is not None


class OpenVinoCpu:
    """OpenVINO in one number format; `cache` keeps what was compiled."""

    def __init__(self, dtype: torch.dtype, cache: BlobCache | None = None) -> None:
        import openvino

        self._core = openvino.Core()
        self._version = openvino.get_version()
        self._precision = _PRECISIONS[dtype]
        self._cache = cache

    def key(self, threads: int, of: Iterable[object]) -> tuple[str, ...]:
        """Return the key of something compiled on this machine, with these versions."""
        return (
            pastelbot.__version__,
            torch.__version__,
            self._version,
            self._core.get_property(_DEVICE, "FULL_DEVICE_NAME"),
            str(self._core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")),
            self._precision,
            str(threads),
            *map(str, of),
        )

    def has(self, key: Iterable[str]) -> bool:
        """Return whether the cache has something under a key."""
        return self._cache is not None and self._cache.has(key)

    def restored(self, key: Iterable[str], threads: int) -> Compiled | None:
        """Return what is kept under a key; None where there is nothing, or where it is damaged."""
        blob = self._cache.read(key) if self._cache else None
        return None if blob is None else self._core.import_model(io.BytesIO(blob), _DEVICE, self._properties(threads))

    def compiled(self, graph: Graph, threads: int) -> Compiled:
        """Return a graph of one shape, compiled."""
        return self._core.compile_model(graph, _DEVICE, self._properties(threads))

    def keep(self, key: Iterable[str], compiled: Compiled) -> None:
        """Keep something compiled under a key."""
        if self._cache:
            stream = io.BytesIO()
            compiled.export_model(stream)
            self._cache.write(key, stream.getvalue())

    def _properties(self, threads: int) -> dict[str, object]:
        return {
            "INFERENCE_PRECISION_HINT": self._precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }


def traced(network: nn.Module, example: tuple[Tensor, ...]) -> Graph:
    """Return a network as a graph for any shape. Its constants share memory with the weights where they can.

    These are the steps of OpenVINO's `convert_model` without its telemetry. The tracer need not run the network three
    times more to compare: what is compiled is compared with the network itself.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about sizes: they are the reason for odd ones
        frontend = FrontEndManager().load_by_framework("pytorch")
        once = {"check_trace": False}
        decoder = TorchScriptPythonDecoder(network.eval(), example_input=example, trace_kwargs=once)
        return frontend.convert(frontend.load(decoder))


def shaped(graph: Graph, *shapes: Iterable[int]) -> Graph:
    """Return a copy of a graph for inputs of these shapes, in their order."""
    copy = graph.clone()
    copy.reshape({place: list(shape) for place, shape in enumerate(shapes)})
    return copy


def as_function(compiled: Compiled, *, release: bool = False) -> Predict:
    """Return a compiled model as a function of tensors; `release`: give its memory back after each call."""
    request = compiled.create_infer_request()

    def predict(*tensors: Tensor) -> Tensor:
        given = [tensor.float().contiguous().numpy() for tensor in tensors]
        (answer,) = request.infer(given, share_inputs=True, share_outputs=True).values()
        result = torch.from_numpy(answer).clone()
        if release:
            compiled.release_memory()
        return result

    return predict
