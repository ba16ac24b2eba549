"""Textual inversion embeddings of the operator's folder, by their files' names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pastelbot.diffusion.embeddings import has_output, has_output_among, read_embedding, vectors_among
from pastelbot.errors import CheckpointError
from pastelbot.formats.hashes import embedding_hash
from pastelbot.formats.network_files import EMBEDDING_SUFFIXES, NetworkFolder
from pastelbot.formats.texts.trainer_notes import model_of_words


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """An embedding's vectors (count, width), and why they cannot be used, where they cannot.

    `has_output` is whether the file also has vectors that are added behind the text encoder, which are not used.
    """

    vectors: Tensor
    hash: str = ""
    has_output: bool = False
    problem: str | None = None


class EmbeddingCache:
    """The embeddings of a folder for a text encoder of one width; read when the folder has changed."""

    def __init__(self, folder: Path | None, width: Callable[[], int]) -> None:
        """Take the folder, and what knows the numbers in each of the text encoder's vectors."""
        self._folder = NetworkFolder(folder, EMBEDDING_SUFFIXES)
        self._width = width
        self._seen: dict[str, tuple[Path, int, int]] = {}
        self.by_name: Mapping[str, Embedding] = {}

    def refresh(self) -> bool:
        """Read what has changed; return whether anything has."""
        seen = {name: _version(path) for name, path in self._folder.files.items()}
        if seen == self._seen:
            return False
        self.by_name = {
            name: self.by_name[name] if self._seen.get(name) == version else self._read(name, version[0])
            for name, version in seen.items()
        }
        self._seen = seen
        return True

    def bundled(self, lora: str, name: str, tensors: Mapping[str, Tensor]) -> Embedding:
        """Return the embedding that is inside a LoRA's file; the LoRA's name is its hash, as in the webui."""
        label = f"{name} in {lora}"
        try:
            vectors = self._fitting(label, vectors_among(label, tensors))
            return Embedding(vectors=vectors, hash=lora, has_output=has_output_among(tensors))
        except CheckpointError as error:
            return self._unusable(name, str(error))

    def _read(self, name: str, path: Path) -> Embedding:
        try:
            vectors = self._fitting(str(path), read_embedding(path))
            return Embedding(vectors=vectors, hash=embedding_hash(path), has_output=has_output(path))
        except (CheckpointError, OSError) as error:
            return self._unusable(name, str(error).replace(f"{path.parent}/", ""))

    def _unusable(self, name: str, reason: str) -> Embedding:
        problem = f"The embedding {name} cannot be used: {reason}"
        return Embedding(vectors=torch.zeros(1, self._width()), problem=problem)

    def _fitting(self, label: str, vectors: Tensor) -> Tensor:
        width, expected = vectors.shape[1], self._width()
        if width != expected:
            raise CheckpointError(
                f"{label} was made for {model_of_words(width)}: its vectors have {width} numbers instead of {expected}."
            )
        return vectors


def _version(path: Path) -> tuple[Path, int, int]:
    try:
        stat = path.stat()
    except OSError:  # it has just gone
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size
