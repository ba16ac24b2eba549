"""From what a person typed to a GenerationRequest, with the defaults for what was left out."""

from pastelbot.options.building import SAMPLER_CHOICES, amend, draft, usual_hires, usual_request
from pastelbot.options.generation_options import Wish
from pastelbot.options.reading import read_sampler, read_seed, read_size

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
