"""Textual inversion: learnt vectors that a prompt calls by name (Gal et al. 2022)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from pastelbot.prompt.tokenization.chunks import Placed

Embeddings = Mapping[str, torch.Tensor]


@contextmanager
def embeddings_placed(
    text_encoder: nn.Module, placed: Sequence[Sequence[Placed]], embeddings: Embeddings
) -> Iterator[None]:
    """Put learnt vectors in the place of tokens while the text encoder runs; `placed` has an entry per row."""
    if not any(placed):
        yield
        return

    def replace(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        result = output.clone()
        for row, places in enumerate(placed):
            for offset, name, count in places:
                vectors = embeddings[name].to(result)
                result[row, offset + 1 : offset + 1 + count] = vectors  # behind the start token
        return result

    hook = _token_embedding(text_encoder).register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


def _token_embedding(text_encoder: nn.Module) -> nn.Module:
    name = "text_model.embeddings" if hasattr(text_encoder, "text_model") else "embeddings"
    return text_encoder.get_submodule(f"{name}.token_embedding")
