"""Names of samplers and schedules as infotexts and people write them, and what they mean to the webui.

Before version 1.9 a sampler's name carried its schedule, as in "DPM++ 2M Karras". Each sampler has a schedule of its
own, which "Automatic" means. An unknown sampler is the first one, an unknown schedule is "Automatic".
"""

from collections.abc import Mapping
from typing import NamedTuple

from pastelbot.choices import nearest_names
from pastelbot.errors import LimitError

AUTOMATIC = "Automatic"
FIRST = "DPM++ 2M"

# Every sampler and the schedule that "Automatic" means for it; None is the sampler's own spacing.
_OWN_SCHEDULES: dict[str, str | None] = {
    "DPM++ 2M": "Karras",
    "DPM++ SDE": "Karras",
    "DPM++ 2M SDE": "Exponential",
    "DPM++ 2M SDE Heun": "Exponential",
    "DPM++ 2S a": "Karras",
    "DPM++ 3M SDE": "Exponential",
    "Euler a": None,
    "Euler": None,
    "LMS": None,
    "Heun": None,
    "DPM2": "Karras",
    "DPM2 a": "Karras",
    "DPM fast": None,
    "DPM adaptive": None,
    "Restart": "Karras",
    "DDIM": None,
    "DDIM CFG++": None,
    "PLMS": None,
    "UniPC": None,
    "LCM": None,
}
_WITH_TIMESTEPS = frozenset({"DDIM", "DDIM CFG++", "PLMS", "UniPC"})
_WITH_ENSD = frozenset({"Euler a", "DPM2 a", "DPM++ 2S a", "DPM fast", "DPM adaptive"})

# Samplers that the webui has and Pastelbot does not paint with, and the nearest that it does.
NOT_PAINTED: Mapping[str, str] = {"DPM adaptive": "DPM fast", "DDIM CFG++": "DDIM"}
PAINTED = tuple(name for name in _OWN_SCHEDULES if name not in NOT_PAINTED)
_SPELLINGS = (*PAINTED, *(f"{name} {_OWN_SCHEDULES[name]}" for name in PAINTED if _OWN_SCHEDULES[name]))

# Every schedule and the other spellings that the webui takes for it.
_SCHEDULES: dict[str, tuple[str, ...]] = {
    "Automatic": ("automatic",),
    "Uniform": ("uniform",),
    "Karras": ("karras",),
    "Exponential": ("exponential",),
    "Polyexponential": ("polyexponential",),
    "SGM Uniform": ("sgm_uniform", "SGMUniform"),
    "KL Optimal": ("kl_optimal",),
    "Align Your Steps": ("align_your_steps",),
    "Simple": ("simple",),
    "Normal": ("normal",),
    "DDIM": ("ddim",),
    "Beta": ("beta",),
}

SCHEDULES = tuple(_SCHEDULES)


class SamplerChoice(NamedTuple):
    """A sampler and a schedule by the webui's names."""

    sampler: str
    schedule: str


def normalise(sampler: str | None, schedule: str | None, *, convert_automatic: bool = False) -> SamplerChoice:
    """Return the sampler and schedule that two names mean to the webui; this never fails.

    A schedule at the end of the sampler's name goes before the other. `convert_automatic` says "Automatic" instead of
    the sampler's own schedule.
    """
    name, found = _split(sampler or FIRST)
    found = found or _schedule(schedule)
    name = name if name in _OWN_SCHEDULES else FIRST
    if convert_automatic and found == _OWN_SCHEDULES[name]:
        found = AUTOMATIC
    return SamplerChoice(name, found)


def is_known(sampler: str) -> bool:
    """Return whether a name, with or without a schedule at its end, is one of the webui's samplers."""
    return _split(sampler)[0] in _OWN_SCHEDULES


def is_known_schedule(schedule: str) -> bool:
    """Return whether a name is one of the webui's schedules."""
    return any(schedule in (label, *others) for label, others in _SCHEDULES.items())


def check_sampler(sampler: str, schedule: str | None = None) -> None:
    """Raise a LimitError with the nearest names where Pastelbot does not paint with such a sampler or schedule."""
    name = _split(sampler)[0]
    if name in NOT_PAINTED:
        raise LimitError(
            f"Pastelbot does not paint with the sampler {name}; the nearest that it has is {NOT_PAINTED[name]}."
        )
    if name not in _OWN_SCHEDULES:
        raise LimitError(f"There is no sampler {sampler[:60]!r}. {nearest_names(sampler[:60], _SPELLINGS)}")
    if schedule is not None and not is_known_schedule(schedule):
        raise LimitError(f"There is no schedule {schedule[:60]!r}. {nearest_names(schedule[:60], tuple(_SCHEDULES))}")


def effective_schedule(sampler: str, schedule: str) -> str | None:
    """Return the schedule that a pass really uses; None where the sampler spaces its steps itself."""
    name, found = normalise(sampler, schedule)
    if name in _WITH_TIMESTEPS:
        return None
    return _OWN_SCHEDULES[name] if found == AUTOMATIC else found


def uses_ensd(sampler: str) -> bool:
    """Return whether a sampler draws noise that depends on the eta noise seed delta."""
    return normalise(sampler, None).sampler in _WITH_ENSD


def _split(name: str) -> tuple[str, str | None]:
    for schedule, others in _SCHEDULES.items():
        for spelling in (schedule, *others):
            if name.endswith(" " + spelling):
                return name[: -len(spelling) - 1], schedule
    return name, None


def _schedule(name: str | None) -> str:
    return next((label for label, others in _SCHEDULES.items() if name in (label, *others)), AUTOMATIC)
