"""Table of samplers, one row each, and the names that infotexts and users write for them.

Before version 1.9 of the webui a sampler's name carried its schedule, as in "DPM++ 2M Karras". Each sampler has a
schedule of its own, which "Automatic" means. An unknown sampler is the first one, an unknown schedule is "Automatic".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pastelbot.choices import nearest_names
from pastelbot.errors import LimitError

AUTOMATIC = "Automatic"


@dataclass(frozen=True, kw_only=True)
class SamplerInfo:
    """The facts about a sampler besides its algorithm, which `diffusion.sampling` has under the same name.

    `schedule` is what "Automatic" means; None is evenly spaced timesteps. `calls_per_step` counts the calls of the
    denoiser in most steps, for the cost and for prompt editing. `timesteps` marks samplers that work on latents of unit
    variance at whole or evenly spaced timesteps, whatever the schedule. `brownian` ones take their noise from a
    Brownian path. `discard_next_to_last` ones drop the next-to-last sigma. `timestep_stride` is more than 1 for
    samplers of models that were distilled for every so-many-th timestep. `uses_ensd` ones draw noise that depends on
    the eta noise seed delta. `eta`, `eta_ddim`, `gamma`, `churn` and `noise` mark those that look at these fields of
    `SamplingOptions`, `churn` at its two limits too. `gamma` ones walk the levels of timesteps that the model knows,
    and are given the level to step down to before each of them. `own_spacing` ones space their steps themselves between
    a pass's first level and its last one. `usual_calls` is for those that find out while they paint how many calls they
    make: about so many, whatever the steps. `cfg_plus` ones are given the unguided answer too, and a twelfth of the CFG
    scale (CFG++). `menu` is the sampler's name among the choices of a command.
    """

    name: str
    schedule: str | None = None
    calls_per_step: int = 1
    timesteps: bool = False
    uses_ensd: bool = False
    eta: bool = False
    eta_ddim: bool = False
    gamma: bool = False
    churn: bool = False
    noise: bool = False
    brownian: bool = False
    discard_next_to_last: bool = False
    timestep_stride: int = 1
    own_spacing: bool = False
    usual_calls: int | None = None
    cfg_plus: bool = False
    menu: str | None = None

    def calls(self, steps: int) -> int:
        """Return the calls of the denoiser that `steps` steps count as for what changes on the way."""
        return steps * self.calls_per_step

    def expected_calls(self, steps: int) -> int:
        """Return the calls of the denoiser that `steps` steps take."""
        return self.calls(steps) if self.usual_calls is None else self.usual_calls


# The menu keeps this order. A command takes at most 25 choices.
_ROWS = (
    SamplerInfo(name="DPM++ 2M", schedule="Karras", menu="DPM++ 2M Karras"),
    SamplerInfo(
        name="DPM++ SDE",
        eta=True,
        noise=True,
        schedule="Karras",
        calls_per_step=2,
        brownian=True,
        menu="DPM++ SDE Karras",
    ),
    SamplerInfo(
        name="DPM++ 2M SDE", eta=True, noise=True, schedule="Exponential", brownian=True, menu="DPM++ 2M SDE Karras"
    ),
    SamplerInfo(name="DPM++ 2M SDE Heun", eta=True, noise=True, schedule="Exponential", brownian=True),
    SamplerInfo(
        name="DPM++ 3M SDE",
        eta=True,
        noise=True,
        schedule="Exponential",
        brownian=True,
        discard_next_to_last=True,
        menu="DPM++ 3M SDE Exponential",
    ),
    SamplerInfo(
        name="DPM++ 2S a",
        eta=True,
        noise=True,
        schedule="Karras",
        calls_per_step=2,
        uses_ensd=True,
        menu="DPM++ 2S a Karras",
    ),
    SamplerInfo(name="Euler a", eta=True, uses_ensd=True, menu="Euler a"),
    SamplerInfo(name="Euler", churn=True, noise=True, menu="Euler"),
    SamplerInfo(name="Heun", churn=True, noise=True, calls_per_step=2, menu="Heun"),
    SamplerInfo(name="LMS", menu="LMS Karras"),
    SamplerInfo(
        name="DPM2",
        churn=True,
        noise=True,
        schedule="Karras",
        calls_per_step=2,
        discard_next_to_last=True,
        menu="DPM2 Karras",
    ),
    SamplerInfo(
        name="DPM2 a",
        eta=True,
        noise=True,
        schedule="Karras",
        calls_per_step=2,
        uses_ensd=True,
        discard_next_to_last=True,
        menu="DPM2 a Karras",
    ),
    SamplerInfo(name="DPM fast", eta=True, noise=True, uses_ensd=True, own_spacing=True),
    SamplerInfo(name="DPM adaptive", eta=True, uses_ensd=True, own_spacing=True, usual_calls=75),
    SamplerInfo(name="Restart", schedule="Karras", calls_per_step=2),
    SamplerInfo(name="DDIM", eta_ddim=True, timesteps=True, menu="DDIM"),
    SamplerInfo(name="DDIM CFG++", eta_ddim=True, timesteps=True, cfg_plus=True),
    SamplerInfo(name="PLMS", timesteps=True),
    SamplerInfo(name="UniPC", timesteps=True, menu="UniPC"),
    SamplerInfo(name="LCM", timestep_stride=20, menu="LCM"),
    SamplerInfo(name="TCD", gamma=True, schedule="SGM Uniform", timestep_stride=20, menu="TCD"),
)
SAMPLERS: Mapping[str, SamplerInfo] = {row.name: row for row in _ROWS}
_FIRST = _ROWS[0].name

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


def menu() -> tuple[str, ...]:
    """Return the samplers that a command offers, most of them with a schedule at the end of the name."""
    return tuple(info.menu for info in SAMPLERS.values() if info.menu is not None)


def sampler_info(sampler: str) -> SamplerInfo:
    """Return the row of the sampler that a name means to the webui, with or without a schedule at its end."""
    return SAMPLERS[normalise(sampler, None).sampler]


def normalise(sampler: str | None, schedule: str | None, *, convert_automatic: bool = False) -> SamplerChoice:
    """Return the sampler and schedule that two names mean to the webui; this never fails.

    A schedule at the end of the sampler's name goes before the other. `convert_automatic` says "Automatic" instead of
    the sampler's own schedule.
    """
    name, found = _split(sampler or _FIRST)
    found = found or _schedule(schedule)
    name = name if name in SAMPLERS else _FIRST
    if convert_automatic and found == SAMPLERS[name].schedule:
        found = AUTOMATIC
    return SamplerChoice(name, found)


def is_known(sampler: str) -> bool:
    """Return whether a name, with or without a schedule at its end, is one of the webui's samplers."""
    return _split(sampler)[0] in SAMPLERS


def is_known_schedule(schedule: str) -> bool:
    """Return whether a name is one of the webui's schedules."""
    return any(schedule in (label, *others) for label, others in _SCHEDULES.items())


def check_sampler(sampler: str, schedule: str | None = None) -> None:
    """Raise a LimitError with the nearest names where there is no such sampler or schedule."""
    if _split(sampler)[0] not in SAMPLERS:
        raise LimitError(f"There is no sampler {sampler[:60]!r}. {nearest_names(sampler[:60], _spellings())}")
    if schedule is not None and not is_known_schedule(schedule):
        raise LimitError(f"There is no schedule {schedule[:60]!r}. {nearest_names(schedule[:60], tuple(_SCHEDULES))}")


def effective_schedule(sampler: str, schedule: str) -> str | None:
    """Return the schedule that a pass really uses; None where the sampler spaces its steps itself."""
    name, found = normalise(sampler, schedule)
    info = SAMPLERS[name]
    if info.timesteps:
        return None
    return info.schedule if found == AUTOMATIC else found


def uses_ensd(sampler: str) -> bool:
    """Return whether a sampler draws noise that depends on the eta noise seed delta."""
    return sampler_info(sampler).uses_ensd


def _spellings() -> tuple[str, ...]:
    rows = SAMPLERS.values()
    return (*(row.name for row in rows), *(f"{row.name} {row.schedule}" for row in rows if row.schedule))


def _split(name: str) -> tuple[str, str | None]:
    for schedule, others in _SCHEDULES.items():
        for spelling in (schedule, *others):
            if name.endswith(" " + spelling):
                return name[: -len(spelling) - 1], schedule
    return name, None


def _schedule(name: str | None) -> str:
    return next((label for label, others in _SCHEDULES.items() if name in (label, *others)), AUTOMATIC)
