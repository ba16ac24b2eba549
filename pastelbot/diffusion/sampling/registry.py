"""The samplers by their webui names: which schedule each prefers, and how it begins, counts and ends."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pastelbot.choices import nearest_names
from pastelbot.diffusion.sampling import samplers, samplers_sde, samplers_solver, samplers_timestep
from pastelbot.diffusion.sampling.samplers import Sampler
from pastelbot.diffusion.sampling.schedules import SCHEDULES, ModelSigmas, img2img_steps, make_sigmas
from pastelbot.errors import LimitError

AUTOMATIC = "Automatic"


@dataclass(frozen=True, kw_only=True)
class SamplerSpec:
    """One sampler and what is particular about it.

    `schedule` is what "Automatic" means. A `second_order` sampler calls the denoiser twice a step. `timesteps` marks
    those that work on latents of unit variance at whole or evenly spaced timesteps and ignore the schedule's name.
    """

    name: str
    run: Sampler
    schedule: str = "Uniform"
    second_order: bool = False
    discard_next_to_last: bool = False
    brownian: bool = False
    timesteps: bool = False

    def prompt_steps(self, steps: int) -> int:
        """Return the steps that prompt editing counts: one for each call of the denoiser."""
        return 2 * steps if self.second_order else steps

    def calls(self, sigmas: Sequence[float]) -> int:
        """Return how often the sampler calls the denoiser on a list of sigmas, by walking down with a single zero."""
        zero = torch.zeros(1)
        walk = self.run(zero, sigmas, lambda _sigma, _sigma_next: zero)
        calls = 0
        try:
            next(walk)
            while True:
                calls += 1
                walk.send(zero)
        except StopIteration:
            return calls


def _specs() -> Iterable[SamplerSpec]:
    yield SamplerSpec(name="DPM++ 2M", run=samplers.sample_dpmpp_2m, schedule="Karras")
    yield SamplerSpec(
        name="DPM++ SDE", run=samplers_sde.sample_dpmpp_sde, schedule="Karras", second_order=True, brownian=True
    )
    yield SamplerSpec(name="DPM++ 2M SDE", run=samplers_sde.sample_dpmpp_2m_sde, schedule="Exponential", brownian=True)
    yield SamplerSpec(
        name="DPM++ 2M SDE Heun", run=samplers_sde.sample_dpmpp_2m_sde_heun, schedule="Exponential", brownian=True
    )
    yield SamplerSpec(name="DPM++ 2S a", run=samplers.sample_dpmpp_2s_ancestral, schedule="Karras", second_order=True)
    yield SamplerSpec(
        name="DPM++ 3M SDE",
        run=samplers_sde.sample_dpmpp_3m_sde,
        schedule="Exponential",
        discard_next_to_last=True,
        brownian=True,
    )
    yield SamplerSpec(name="Euler a", run=samplers.sample_euler_ancestral)
    yield SamplerSpec(name="Euler", run=samplers.sample_euler)
    yield SamplerSpec(name="LMS", run=samplers.sample_lms)
    yield SamplerSpec(name="Heun", run=samplers.sample_heun, second_order=True)
    yield SamplerSpec(
        name="DPM2", run=samplers.sample_dpm_2, schedule="Karras", second_order=True, discard_next_to_last=True
    )
    yield SamplerSpec(
        name="DPM2 a",
        run=samplers.sample_dpm_2_ancestral,
        schedule="Karras",
        second_order=True,
        discard_next_to_last=True,
    )
    yield SamplerSpec(name="DPM fast", run=samplers_solver.sample_dpm_fast)
    yield SamplerSpec(name="Restart", run=samplers_sde.sample_restart, schedule="Karras", second_order=True)
    yield SamplerSpec(name="LCM", run=samplers_sde.sample_lcm)
    yield SamplerSpec(name="DDIM", run=samplers_timestep.sample_ddim, timesteps=True)
    yield SamplerSpec(name="PLMS", run=samplers_timestep.sample_plms, timesteps=True)
    yield SamplerSpec(name="UniPC", run=samplers_timestep.sample_unipc, timesteps=True)


SAMPLERS: Mapping[str, SamplerSpec] = {spec.name: spec for spec in _specs()}


def resolve(sampler: str, schedule: str | None = None) -> tuple[SamplerSpec, str]:
    """Return the sampler and the schedule's name; a name of old like "DPM++ 2M Karras" brings its schedule along."""
    spec, own = _split(sampler)
    if schedule not in (None, AUTOMATIC) and schedule not in SCHEDULES:
        raise LimitError(f"The schedule {schedule!r} is unknown. {nearest_names(schedule, [AUTOMATIC, *SCHEDULES])}")
    chosen = own or schedule
    return spec, spec.schedule if chosen in (None, AUTOMATIC) else chosen


def _split(sampler: str) -> tuple[SamplerSpec, str | None]:
    by_name = {name.casefold(): spec for name, spec in SAMPLERS.items()}
    wanted = " ".join(sampler.split()).casefold()
    if wanted in by_name:
        return by_name[wanted], None
    for schedule in SCHEDULES:
        stem = wanted.removesuffix(" " + schedule.casefold())
        if stem != wanted and stem in by_name:
            return by_name[stem], schedule
    raise LimitError(f"The sampler {sampler!r} is unknown. {nearest_names(sampler, list(SAMPLERS))}")


def plan_sigmas(spec: SamplerSpec, schedule: str, model: ModelSigmas, steps: int) -> list[float]:
    """Return the sigmas that a first pass of `steps` steps walks down."""
    if spec.timesteps:
        timesteps = _ddim_timesteps(steps)
        return _unipc_sigmas(model, len(timesteps)) if spec.name == "UniPC" else _ddim_sigmas(model, timesteps)
    return make_sigmas(schedule, model, steps, discard_next_to_last=spec.discard_next_to_last)


@dataclass(frozen=True, kw_only=True)
class PassPlan:
    """One pass: its sampler, the levels that it walks down, and the whole schedule that these were cut from.

    `noise_sigma` is the level of the noise that it begins with, which a timestep sampler does not begin to denoise at.
    """

    spec: SamplerSpec
    sigmas: Sequence[float]
    schedule_sigmas: Sequence[float]
    noise_sigma: float

    @cached_property
    def calls(self) -> int:
        """Return how often the pass calls the denoiser."""
        return self.spec.calls(self.sigmas)

    def begin(self, noise: Tensor, latents: Tensor | None = None) -> Tensor:
        """Return what the sampler starts from: unit `noise`, added to `latents` where there are any."""
        if not self.spec.timesteps:
            noised = noise * self.noise_sigma
            return noised if latents is None else latents + noised
        scale = math.sqrt(1 + self.sigmas[0] ** 2)
        if latents is None:
            return noise * scale
        # Unit variance at `noise_sigma`, then read as if at the first level.
        return (latents + noise * self.noise_sigma) * (scale / math.sqrt(1 + self.noise_sigma**2))

    def end(self, x: Tensor) -> Tensor:
        """Return the latents that the sampler's result stands for; timestep samplers leave theirs scaled down."""
        return x / math.sqrt(1 + self.sigmas[-1] ** 2) if self.spec.timesteps else x


def plan_first_pass(spec: SamplerSpec, schedule: str, model: ModelSigmas, steps: int) -> PassPlan:
    """Plan a pass from pure noise."""
    sigmas = plan_sigmas(spec, schedule, model, steps)
    return PassPlan(spec=spec, sigmas=sigmas, schedule_sigmas=sigmas, noise_sigma=sigmas[0])


def plan_img2img(spec: SamplerSpec, schedule: str, model: ModelSigmas, steps: int, strength: float) -> PassPlan:
    """Plan a pass over an uploaded picture: denoising `strength` of `steps` steps, and one more, as in the webui."""
    run = int(min(strength, 0.999) * steps) + 1
    return _plan_tail(spec, schedule, model, run, steps)


def plan_second_pass(spec: SamplerSpec, schedule: str, model: ModelSigmas, steps: int, strength: float) -> PassPlan:
    """Plan a pass of `steps` steps from latents noised by denoising `strength`, the end of a longer schedule."""
    return _plan_tail(spec, schedule, model, steps, img2img_steps(steps, strength))


def _plan_tail(spec: SamplerSpec, schedule: str, model: ModelSigmas, steps: int, longer: int) -> PassPlan:
    """Plan the last `steps` steps of a schedule of `longer` steps."""
    if spec.timesteps:
        return _plan_timestep_tail(spec, model, steps, longer)
    sigmas = plan_sigmas(spec, schedule, model, longer)
    cut = sigmas[longer - steps :]
    return PassPlan(spec=spec, sigmas=cut, schedule_sigmas=sigmas, noise_sigma=cut[0])


def _plan_timestep_tail(spec: SamplerSpec, model: ModelSigmas, steps: int, longer: int) -> PassPlan:
    """Noise to timestep number `steps - 1`, but begin one before it, as the webui does."""
    timesteps = _ddim_timesteps(longer)
    last = min(steps - 1, len(timesteps) - 1)
    whole = _ddim_sigmas(model, timesteps)
    cut = _ddim_sigmas(model, timesteps[: max(last, 1)])
    if spec.name == "UniPC":
        cut = _unipc_sigmas(model, max(last, 1), start=timesteps[max(last, 1) - 1])
    return PassPlan(spec=spec, sigmas=cut, schedule_sigmas=whole, noise_sigma=float(model.sigmas[timesteps[last]]))


def _ddim_timesteps(steps: int) -> list[int]:
    return [min(timestep + 1, 999) for timestep in range(0, 1000, max(1000 // steps, 1))]


def _ddim_sigmas(model: ModelSigmas, timesteps: Sequence[int]) -> list[float]:
    """Return the levels of ascending timesteps, descending."""
    return [float(model.sigmas[timestep]) for timestep in reversed(timesteps)]


def _unipc_sigmas(model: ModelSigmas, steps: int, start: int = 999) -> list[float]:
    """Space `steps` steps evenly in time from timestep `start` to 0; log alpha is linear between whole timesteps."""
    return [float(sigma) for sigma in model.at_linear_alpha(torch.linspace(start, 0, steps + 1))]
