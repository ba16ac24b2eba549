"""OpenVINO behind a UNet on CPUs: one compiled model a shape, in float32 or bfloat16."""

import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, cast

import torch
from torch import Tensor, nn

import pastelbot
from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.compiled_unet import Bucket, Predict
from pastelbot.diffusion.networks.unet import UNet2DConditionModel, float_copy

_DEVICE = "CPU"
# Odd at every level, so that the traced UNet fits its features to the skip connections' size at every level.
_TRACED = 9
# Without this hint processors that have bfloat16 would always compute in it.
_PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}
# Of an answer's norm. The UNet of Stable Diffusion 1.5 differs by 3e-6, and in bfloat16 by 2.2e-2 from float32.
_TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 6e-2}


def is_installed() -> bool:
    """Return whether the extra is there."""
    return find_spec("openvino") is not None


class OpenVinoCompiler:
    """Compiles a UNet for the CPU. `identity` is of the checkpoint's content, in the keys of `cache`."""

    name = "openvino"
    rows = 2  # larger batches were slower on every CPU that was measured, and each is another shape

    def __init__(self, unet: UNet2DConditionModel, *, identity: str, cache: BlobCache | None = None) -> None:
        import openvino

        self._openvino = openvino
        self._core = openvino.Core()
        self._unet = unet
        self._precision, self.tolerance = _PRECISIONS[unet.dtype], _TOLERANCES[unet.dtype]
        self._identity = identity
        self._cache = cache if identity else None
        self._graph: Any = None  # openvino.Model, of the weights without LoRAs

    def has(self, bucket: Bucket, *, threads: int) -> bool:
        """Return whether the cache has a bucket."""
        return self._cache is not None and self._cache.has(self._key(bucket, threads))

    def compile(self, bucket: Bucket, *, threads: int, unchanged: Callable[[], bool]) -> Predict | None:
        """Return the UNet for a bucket, from the cache or compiled; None where the weights changed meanwhile."""
        key, properties = self._key(bucket, threads), self._properties(threads)
        blob = self._cache.read(key) if self._cache else None
        if blob is not None:
            return _callable(self._core.import_model(io.BytesIO(blob), _DEVICE, properties))
        graph = self._traced() if bucket.loras or self._graph is None else self._graph
        compiled = self._core.compile_model(self._shaped(graph, bucket), _DEVICE, properties)
        if not unchanged():
            return None
        if not bucket.loras and self._unet.dtype == torch.float32:
            self._graph = graph
        if self._cache:
            stream = io.BytesIO()
            compiled.export_model(stream)
            self._cache.write(key, stream.getvalue())
        return _callable(compiled)

    def _traced(self) -> Any:  # noqa: ANN401 - openvino has no types
        """Return the UNet as a graph for any shape. Its constants share memory with the weights where they can.

        These are the steps of OpenVINO's `convert_model` without its telemetry.
        """
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        width = int(self._unet.config.cross_attention_dim)
        channels = int(self._unet.config.in_channels)
        example = (torch.zeros(2, channels, _TRACED, _TRACED), torch.ones(2), torch.zeros(2, 77, width))
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, about sizes: they are the reason for the odd ones
            frontend = FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(_OneOutput(self._in_float32()).eval(), example_input=example)
            return frontend.convert(frontend.load(decoder))

    def _in_float32(self) -> UNet2DConditionModel:
        """Return the UNet, or a copy in float32: OpenVINO crashed on graphs of bfloat16, and changes what it traces."""
        if self._unet.dtype == torch.float32:
            return self._unet
        return float_copy(self._unet)

    def _shaped(self, graph: Any, bucket: Bucket) -> Any:  # noqa: ANN401
        rows, width = bucket.latents[0], int(self._unet.config.cross_attention_dim)
        shaped = graph.clone()
        shaped.reshape({0: list(bucket.latents), 1: [rows], 2: [rows, bucket.tokens, width]})
        return shaped

    def _properties(self, threads: int) -> dict[str, object]:
        return {
            "INFERENCE_PRECISION_HINT": self._precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }

    def _key(self, bucket: Bucket, threads: int) -> tuple[str, ...]:
        return (
            pastelbot.__version__,
            torch.__version__,
            self._openvino.get_version(),
            self._core.get_property(_DEVICE, "FULL_DEVICE_NAME"),
            str(self._core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")),
            self._precision,
            str(threads),
            self._identity,
            str(bucket.latents),
            str(bucket.tokens),
            str(bucket.loras),
        )


class _OneOutput(nn.Module):
    """The UNet with its only output by itself, as the converter wants it."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self._unet = unet

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        return cast("Tensor", self._unet(x, t, context, return_dict=False)[0])


def _callable(compiled: Any) -> Predict:  # noqa: ANN401
    """Return a compiled model as a function of tensors."""
    request = compiled.create_infer_request()

    def predict(x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        given = [tensor.float().contiguous().numpy() for tensor in (x, t, context)]
        (answer,) = request.infer(given, share_inputs=True, share_outputs=True).values()
        return torch.from_numpy(answer).clone()

    return predict
