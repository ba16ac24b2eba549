"""The names of samplers and schedules, known without torch; `diffusion.catalog` has the algorithms."""

import difflib

from pastelbot.errors import LimitError

SAMPLERS = (
    "DPM++ 2M",
    "DPM++ SDE",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Heun",
    "DPM++ 2S a",
    "DPM++ 3M SDE",
    "Euler a",
    "Euler",
    "LMS",
    "Heun",
    "DPM2",
    "DPM2 a",
    "LCM",
    "DDIM",
    "PLMS",
    "UniPC",
)

SCHEDULES = (
    "Karras",
    "Exponential",
    "Polyexponential",
    "Uniform",
    "SGM Uniform",
    "KL Optimal",
    "Align Your Steps",
    "Normal",
    "Simple",
    "Beta",
    "DDIM",
)

AUTOMATIC = "Automatic"

# What a person chooses from: at most 25.
SAMPLER_CHOICES = (
    "DPM++ 2M Karras",
    "DPM++ SDE Karras",
    "DPM++ 2M SDE Karras",
    "DPM++ 3M SDE Exponential",
    "DPM++ 2S a Karras",
    "Euler a",
    "Euler",
    "Heun",
    "LMS Karras",
    "DPM2 Karras",
    "DPM2 a Karras",
    "DDIM",
    "UniPC",
    "LCM",
)


def read_sampler(text: str) -> tuple[str, str]:
    """Read "DPM++ 2M Karras" as ("DPM++ 2M", "Karras") and "Euler a" as ("Euler a", "Automatic").

    Raises LimitError with the nearest name.
    """
    wanted = " ".join(text.split()).casefold()
    for sampler in SAMPLERS:
        for schedule in ("", *SCHEDULES):
            if wanted == f"{sampler} {schedule}".strip().casefold():
                return sampler, schedule or AUTOMATIC
    near = difflib.get_close_matches(text, SAMPLER_CHOICES, n=1, cutoff=0.3)
    hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(SAMPLER_CHOICES)}."
    raise LimitError(f"There is no sampler {text[:60]!r}. {hint}")
