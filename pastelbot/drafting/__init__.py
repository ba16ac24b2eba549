"""From what a person typed to a GenerationRequest, with the defaults for what was left out."""

from pastelbot.drafting.drafts import (
    SAMPLER_CHOICES,
    amend,
    draft,
    usual_hires,
    usual_request,
)
from pastelbot.drafting.reading import read_sampler, read_seed, read_size
from pastelbot.drafting.wish import Wish

__all__ = [
    "SAMPLER_CHOICES",
    "Wish",
    "amend",
    "draft",
    "read_sampler",
    "read_seed",
    "read_size",
    "usual_hires",
    "usual_request",
]
