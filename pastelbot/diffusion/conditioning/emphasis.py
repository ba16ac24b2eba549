"""Emphasis: how the weights of tokens change the encoded text."""

import torch

_NO_NORM = "No norm"
_IGNORE = "Ignore"
_NONE = "None"  # the brackets are text: see `pastelbot.prompt.tokenization.chunks`


def apply_emphasis(encoded: torch.Tensor, weights: torch.Tensor, mode: str) -> torch.Tensor:
    """Return `encoded` (n, 77, dim) with each token's vector multiplied by its weight (n, 77).

    "Original", which is also meant by any unknown name, keeps the mean of the whole batch; "No norm" does not.
    """
    if mode in (_IGNORE, _NONE):
        return encoded
    weighted = encoded * weights.unsqueeze(-1)
    return weighted if mode == _NO_NORM else weighted * (encoded.mean() / weighted.mean())
