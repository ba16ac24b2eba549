"""The networks of an ONNX checkpoint, each a session of ONNX Runtime that is called as its counterpart of torch is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig

from pastelbot.diffusion.networks.build import public_config
from pastelbot.diffusion.networks.vae import AutoencoderKL
from pastelbot.errors import CheckpointError

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_DTYPES = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16, "tensor(int64)": torch.int64}


class Session:
    """One network's graph, loaded; tensors go in by name and come out."""

    def __init__(self, path: Path, device: torch.device) -> None:
        """Load a graph for the CPU or a CUDA device; raises CheckpointError where it is damaged."""
        import onnxruntime  # an extra

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that spin while they wait for work take it from the others on a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        provider = (PROVIDERS[device.type], {"device_id": str(device.index or 0)} if device.type == "cuda" else {})
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=[provider])
        except Exception as error:  # the runtime's errors have no common base
            if _is_short_of_memory(error):
                raise MemoryError(_first_line(error)) from error
            raise CheckpointError(
                f"{path} cannot be loaded: {_first_line(error)} Export the checkpoint again."
            ) from error
        places = [*self._session.get_inputs(), *self._session.get_overridable_initializers()]
        self._dtypes = {place.name: _DTYPES[place.type] for place in places}

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format in which the graph computes."""
        return next(dtype for dtype in self._dtypes.values() if dtype.is_floating_point)

    def run(self, output: str, /, **inputs: Tensor) -> Tensor:
        """Return one of the graph's outputs, on the CPU; raises MemoryError where the runtime has no more memory."""
        arrays = {name: tensor.to("cpu", self._dtypes[name]).contiguous().numpy() for name, tensor in inputs.items()}
        try:
            (result,) = self._session.run([output], arrays)
        except Exception as error:
            if _is_short_of_memory(error):
                raise MemoryError(_first_line(error)) from error
            raise RuntimeError(_first_line(error)) from error
        return torch.from_numpy(result)


def _is_short_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return "out of memory" in text or "failed to allocate" in text or "bad_alloc" in text


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class _NothingLearnt(nn.Module):
    """Takes the place of a text encoder's table of token vectors, which the graph has itself.

    What a hook puts in the place of these not-a-numbers is what the graph takes instead.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.full((*tokens.shape, self._width), torch.nan)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text encoder's output: the last layer, and all of them; each normalised already."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...]


class OnnxTextEncoder(nn.Module):
    """A text encoder that is called as CLIP's of transformers, learnt vectors and clip skip included."""

    def __init__(self, session: Session, config: Mapping[str, Any]) -> None:
        super().__init__()
        self._session = session
        self.config = CLIPTextConfig(**public_config(config))
        self.embeddings = nn.ModuleDict({"token_embedding": _NothingLearnt(self.config.hidden_size)})
        self.final_layer_norm = nn.Identity()  # the graph has normalised every layer

    def forward(self, input_ids: Tensor, *, output_hidden_states: bool = False) -> Encoded:  # noqa: ARG002 - it always does
        """Encode tokens (n, 77); the layers are (n, 77, width) each, the embeddings first."""
        learnt = self.embeddings["token_embedding"](input_ids)
        layers = self._session.run("layers", input_ids=input_ids, learnt=learnt)
        return Encoded(layers[-1], tuple(layers))


class OnnxUnet(nn.Module):
    """A UNet that is called as diffusers' is."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format in which it computes."""
        return self._session.dtype

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        *,
        return_dict: bool = False,  # noqa: ARG002 - as diffusers is called
    ) -> tuple[Tensor]:
        """Return the prediction (n, 4, height, width) for latents, timesteps (n) and conditionings (n, tokens, dim)."""
        predicted = self._session.run(
            "out_sample", sample=sample, timestep=timestep, encoder_hidden_states=encoder_hidden_states
        )
        return (predicted,)


class _Half(nn.Module):
    """The encoder or the decoder of a VAE."""

    def __init__(self, session: Session, name: str, output: str) -> None:
        super().__init__()
        self._session, self._input, self._output = session, name, output

    def forward(self, batch: Tensor) -> Tensor:
        return self._session.run(self._output, **{self._input: batch})


def onnx_vae(encoder: Session, decoder: Session, config: Mapping[str, Any]) -> AutoencoderKL:
    """Return diffusers' autoencoder, which knows how to work in tiles, around two graphs."""
    # The graphs hold the convolutions between latents and both halves.
    config = {**config, "use_quant_conv": False, "use_post_quant_conv": False}
    with torch.device("meta"):
        vae = AutoencoderKL.from_config(config)
    vae.encoder = _Half(encoder, "sample", "latent_parameters")
    vae.decoder = _Half(decoder, "latent_sample", "sample")
    vae.register_buffer("computes_in", torch.zeros((), dtype=decoder.dtype))
    return cast("AutoencoderKL", vae.eval())
