"""Presets that every bot has: settings with a name, for LoRAs of few steps and for speed.

A preset of the same name that a user or a server saved counts before these.
"""

from collections.abc import Mapping

from pastelbot.options.generation_options import GenerationOptions
from pastelbot.records import GenerationRequest, SamplingOptions
from pastelbot.rules.sampling.options import sampling_text


def _text(sampling: SamplingOptions) -> str | None:
    return sampling_text(GenerationRequest(prompt="", sampling=sampling))


# Karras' 20 steps are below this level with their last five.
_UNGUIDED_END = SamplingOptions(guided_from=0.25, guided_from_all=True)

SHIPPED_PRESETS: Mapping[str, GenerationOptions] = {
    "LCM": GenerationOptions(sampler="LCM", schedule="Automatic", steps=6, hires_steps=4, cfg=1.5),
    "TCD": GenerationOptions(sampler="TCD", schedule="Automatic", steps=6, hires_steps=4, cfg=1.0),
    "Hyper-SD": GenerationOptions(
        sampler="TCD",
        schedule="Automatic",
        steps=8,
        hires_steps=4,
        cfg=1.0,
        sampling=_text(SamplingOptions(gamma=0.5)),
    ),
    "fast": GenerationOptions(sampling=_text(_UNGUIDED_END)),
}


def shipped_preset(name: str) -> GenerationOptions | None:
    """Return the settings of a preset that every bot has, without regard to case; None where it is none."""
    wanted = " ".join(name.split()).casefold()
    return next((options for known, options in SHIPPED_PRESETS.items() if known.casefold() == wanted), None)
