"""Files of textual inversion embeddings in every form that is met; what is read here, `inspect` and the bot use alike.

The webui's files (`string_to_param`, whose first ones hold torch's ParameterDict), its PNG cards, those of diffusers
and the SD concepts library (one tensor under the embedding's word), kohya's and OneTrainer's (`emb_params`).
"""

from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pastelbot.diffusion.weights.tensor_sources import read_plain
from pastelbot.errors import CheckpointError
from pastelbot.formats.embedding_cards import is_card, read_card
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.identify import EMBEDDING, identify, kind_of_pickle
from pastelbot.formats.safetensors_header import read_header

_MOST_VECTORS = 75
# OneTrainer also trains what is added behind the text encoder, which no other program reads.
_OUTPUT = "emb_params_out"
_SDXL = {"clip_g", "clip_l"}


def is_embedding(path: Path) -> bool:
    """Return whether a file is an embedding, of whatever model, usable or not; numbers of safetensors are not read."""
    with suppress(CheckpointError):
        if is_card(path):
            return True
        if is_safetensors(path):
            return identify(read_header(path).shapes) == EMBEDDING
        content = read_plain(path)
        return kind_of_pickle(content) == EMBEDDING or _kind(_of_pickle(content)) == EMBEDDING
    return False


def read_embedding(path: Path) -> Tensor:
    """Return a file's vectors (count, width) in float32; raises a CheckpointError that says what else it is."""
    return vectors_among(str(path), _tensors(path))


def has_output(path: Path) -> bool:
    """Return whether a file has OneTrainer's output vectors too, which are not used; OneTrainer saves safetensors."""
    return not is_card(path) and is_safetensors(path) and has_output_among(read_header(path).shapes)


def has_output_among(names: Container[str]) -> bool:
    """Do as `has_output` with the names of an embedding's tensors."""
    return _OUTPUT in names


def vectors_among(label: str, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the vectors (count, width) among an embedding's tensors by name; raises CheckpointError with the label."""
    if "clip_g" in tensors or (len(tensors) > 1 and "clip_l" in tensors):
        raise CheckpointError(f"{label} is an embedding for {_model(tensors)}, not for Stable Diffusion 1.x.")
    if tensors.keys() == {_OUTPUT}:
        raise CheckpointError(
            f"{label} holds an output embedding of OneTrainer alone, which is not supported: train without that option."
        )
    tensors = {name: tensor for name, tensor in tensors.items() if name != _OUTPUT}
    if len(tensors) != 1:
        raise CheckpointError(f"{label} {_other(tensors)}: it is not a textual inversion embedding.")
    (vectors,) = tensors.values()
    return _checked(label, vectors)


def _model(tensors: Mapping[str, Tensor]) -> str:
    """Return the models that have the text encoders by whose names an embedding has its vectors."""
    if tensors.keys() <= _SDXL:
        return "SDXL"
    if not any(name.startswith("t5") for name in tensors):
        return "another kind of model"
    return "Stable Diffusion 3" if "clip_g" in tensors else "Flux"


def _other(tensors: Mapping[str, Tensor]) -> str:
    """Return what a file with several tensors, or none, is or holds."""
    kind = _kind(tensors)
    if not tensors:
        return "holds no tensor with a name"
    return f"holds {len(tensors)} tensors instead of one" if kind in (None, EMBEDDING) else f"is {kind}"


def _kind(tensors: Mapping[str, Tensor]) -> str | None:
    return identify({name: tuple(tensor.shape) for name, tensor in tensors.items()})


def _checked(label: str, vectors: Tensor) -> Tensor:
    vectors = vectors.detach().float()
    if vectors.dim() == 1:
        vectors = vectors.unsqueeze(0)
    if vectors.dim() != 2 or not vectors.numel():
        raise CheckpointError(f"{label} is not a textual inversion embedding: it has the shape {list(vectors.shape)}.")
    if len(vectors) > _MOST_VECTORS:
        raise CheckpointError(f"{label} has {len(vectors)} vectors; a chunk of a prompt has room for {_MOST_VECTORS}.")
    if not bool(vectors.isfinite().all()):
        raise CheckpointError(f"{label} has NaN or infinite numbers. Use an undamaged file.")
    return vectors


def _tensors(path: Path) -> dict[str, Tensor]:
    if is_card(path):
        content = read_card(path)["string_to_param"]
        return {name: _tensor(path, numbers) for name, numbers in content.items()}
    if is_safetensors(path):
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{path} is damaged or not a safetensors file: {error}. Download it again."
            ) from error
    return _of_pickle(read_plain(path))


def _tensor(path: Path, numbers: object) -> Tensor:
    try:
        return torch.tensor(numbers, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds a damaged embedding: {error}. Download it again.") from error


def _of_pickle(content: object) -> dict[str, Tensor]:
    """Return the tensors of a pickled file, which lie deeper in the webui's form."""
    for name in ("state_dict", "string_to_param"):
        content = content.get(name, content) if isinstance(content, dict) else content
    if isinstance(content, torch.nn.ParameterDict):
        content = dict(content.items())
    items = content.items() if isinstance(content, dict) else ()
    return {str(name): value for name, value in items if isinstance(value, Tensor)}
