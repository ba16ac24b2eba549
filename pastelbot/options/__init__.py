"""Options: from user input to a GenerationRequest, with defaults for the rest."""

from pastelbot.options.building import amend, default_hires, default_request, default_work, draft
from pastelbot.options.catalogue import HIRES_CHOICES, SAMPLER_CHOICES
from pastelbot.options.generation_options import GenerationOptions
from pastelbot.options.reading import read_sampler, read_seed, read_size

__all__ = [
    "HIRES_CHOICES",
    "SAMPLER_CHOICES",
    "GenerationOptions",
    "amend",
    "default_hires",
    "default_request",
    "default_work",
    "draft",
    "read_sampler",
    "read_seed",
    "read_size",
]
