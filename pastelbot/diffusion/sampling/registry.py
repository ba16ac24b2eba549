"""The samplers by their webui names: the algorithm of each row of `rules.samplers`, and how its passes are planned."""

import math
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from pastelbot.choices import nearest_names
from pastelbot.diffusion.sampling import samplers, samplers_sde, samplers_solver, samplers_timestep
from pastelbot.diffusion.sampling.samplers import Sampler, StepNoise, Steps
from pastelbot.diffusion.sampling.samplers_timestep import LAST_TIMESTEP, spacing, whole_levels, whole_timesteps
from pastelbot.diffusion.sampling.schedules import SCHEDULES, ModelSigmas, img2img_steps, make_sigmas
from pastelbot.errors import LimitError
from pastelbot.records import SamplingOptions
from pastelbot.rules.samplers import AUTOMATIC, SAMPLERS, SamplerInfo

_USUAL = SamplingOptions()
_COUNTED = 256  # passes whose calls are kept: most requests have the same settings
_EVEN_TIMESTEPS = "Uniform"  # the schedule of a sampler whose row names none

_RUN: Mapping[str, Sampler] = ChainMap(samplers.RUN, samplers_sde.RUN, samplers_solver.RUN, samplers_timestep.RUN)


def resolve(sampler: str, schedule: str | None = None) -> tuple[SamplerInfo, str]:
    """Return the sampler and the schedule's name; an older name like "DPM++ 2M Karras" brings its schedule along."""
    info, own = _split(sampler)
    if schedule not in (None, AUTOMATIC) and schedule not in SCHEDULES:
        raise LimitError(f"The schedule {schedule!r} is unknown. {nearest_names(schedule, [AUTOMATIC, *SCHEDULES])}")
    chosen = own or schedule
    return info, info.schedule or _EVEN_TIMESTEPS if chosen in (None, AUTOMATIC) else chosen


def _split(sampler: str) -> tuple[SamplerInfo, str | None]:
    by_name = {name.casefold(): info for name, info in SAMPLERS.items()}
    wanted = " ".join(sampler.split()).casefold()
    if wanted in by_name:
        return by_name[wanted], None
    for schedule in SCHEDULES:
        stem = wanted.removesuffix(" " + schedule.casefold())
        if stem != wanted and stem in by_name:
            return by_name[stem], schedule
    raise LimitError(f"The sampler {sampler!r} is unknown. {nearest_names(sampler, list(SAMPLERS))}")


@lru_cache(maxsize=_COUNTED)
def _count_calls(run: Sampler, sigmas: tuple[float, ...], options: SamplingOptions) -> int:
    """Return how often a sampler calls the denoiser on a list of sigmas, by running it on a single zero."""
    zero = torch.zeros(2)  # two, for samplers that are given two answers
    steps = run(zero, sigmas, lambda _sigma, _sigma_next: zero, options)
    calls = 0
    try:
        next(steps)
        while True:
            calls += 1
            steps.send(zero)
    except StopIteration:
        return calls


def _plan_sigmas(
    info: SamplerInfo, schedule: str, model: ModelSigmas, steps: int, options: SamplingOptions
) -> list[float]:
    """Return the sigmas that a first pass of `steps` steps walks down."""
    if info.timesteps:
        return spacing(info.name)(model, whole_timesteps(steps), LAST_TIMESTEP, options.unipc_spacing)
    sigmas = make_sigmas(schedule, model, steps, discard_next_to_last=info.discard_next_to_last, options=options)
    return [model.known(sigma) for sigma in sigmas] if info.gamma else sigmas


@dataclass(frozen=True, kw_only=True)
class PassPlan:
    """One pass: its sampler, the levels that it walks down, and the whole schedule that these were cut from.

    `levels` are those that the model knows. `noise_sigma` is the level of the noise that it begins with, which a
    timestep sampler does not begin to denoise at.
    """

    info: SamplerInfo
    levels: ModelSigmas
    sigmas: Sequence[float]
    schedule_sigmas: Sequence[float]
    noise_sigma: float
    options: SamplingOptions = _USUAL

    @cached_property
    def calls(self) -> int:
        """Return how often the pass calls the denoiser; about how often where its sampler finds out."""
        if self.info.usual_calls is not None:
            return self.info.usual_calls
        return _count_calls(_RUN[self.info.name], tuple(self._walked), self.options)

    def begin(self, noise: Tensor, latents: Tensor | None = None) -> Tensor:
        """Return what the sampler starts from: unit `noise`, added to `latents` where there are any."""
        if not self.info.timesteps:
            if latents is None and self.options.sgm_noise:
                return noise * math.sqrt(1 + self.noise_sigma**2)
            noised = noise * self.noise_sigma
            return noised if latents is None else latents + noised + noise * self.options.extra_noise
        scale = math.sqrt(1 + self.sigmas[0] ** 2)
        if latents is None:
            return noise * scale
        # Unit variance at `noise_sigma`, then read as if at the first level.
        noised = (latents + noise * self.noise_sigma) / math.sqrt(1 + self.noise_sigma**2)
        return (noised + noise * self.options.extra_noise) * scale

    def steps(self, x: Tensor, noise: StepNoise) -> Steps:
        """Run the sampler from `x`, the noised latents that `begin` returned."""
        return _RUN[self.info.name](x, self._walked, noise, self.options)

    @property
    def _walked(self) -> Sequence[float]:
        """Return what the sampler is given: the levels, and for TCD the level to step down to before each of them."""
        if not self.info.gamma:
            return self.sigmas
        pairs = [(min(sigma, self.levels.earlier(sigma, self.options.gamma)), sigma) for sigma in self.sigmas[1:]]
        return [self.sigmas[0], *(level for pair in pairs for level in pair)]

    @property
    def may_leave_negative_out(self) -> bool:
        """Return whether the options ask for calls without the negative prompt."""
        return bool(self.options.skip_early or self.options.guided_from)

    def leaves_negative_out(self, call: int, sigma: float) -> bool:
        """Return whether a call, counted from 0, is made without the negative prompt."""
        if self.options.skip_early and call / max(1, self.counted_calls) <= self.options.skip_early:
            return True
        looked_at = call % 2 == 1 or self.options.guided_from_all
        return looked_at and sigma < self.options.guided_from

    @property
    def counted_calls(self) -> int:
        """Return the calls that the webui expects: each step as many as most steps."""
        return self.info.calls(len(self.sigmas) - 1)

    def end(self, x: Tensor) -> Tensor:
        """Return the latents that the sampler's result stands for; timestep samplers leave theirs scaled down."""
        return x / math.sqrt(1 + self.sigmas[-1] ** 2) if self.info.timesteps else x


def plan_first_pass(
    info: SamplerInfo, schedule: str, model: ModelSigmas, steps: int, options: SamplingOptions = _USUAL
) -> PassPlan:
    """Plan a pass from pure noise."""
    levels = model.changed(options).every(info.timestep_stride, mixes=not info.gamma)
    sigmas = _plan_sigmas(info, schedule, levels, steps, options)
    walked = sigmas
    if info.own_spacing:  # between all levels of the model, whatever the schedule that the noise comes from
        walked = [float(levels.sigmas[-1]), *sigmas[1:-1], float(levels.sigmas[0])]
    return PassPlan(
        info=info, levels=levels, sigmas=walked, schedule_sigmas=sigmas, noise_sigma=sigmas[0], options=options
    )


def plan_img2img(
    info: SamplerInfo, schedule: str, model: ModelSigmas, steps: int, strength: float, options: SamplingOptions = _USUAL
) -> PassPlan:
    """Plan a pass over an uploaded picture: denoising `strength` of `steps` steps, and one more, as in the webui."""
    run = int(min(strength, 0.999) * steps) + 1
    return _plan_tail(info, schedule, model.changed(options), (run, steps), options)


def plan_second_pass(
    info: SamplerInfo, schedule: str, model: ModelSigmas, steps: int, strength: float, options: SamplingOptions = _USUAL
) -> PassPlan:
    """Plan a pass of `steps` steps from latents noised by denoising `strength`, the end of a longer schedule."""
    return _plan_tail(info, schedule, model.changed(options), (steps, img2img_steps(steps, strength)), options)


def _plan_tail(
    info: SamplerInfo, schedule: str, model: ModelSigmas, part: tuple[int, int], options: SamplingOptions
) -> PassPlan:
    """Plan the last steps of a longer schedule: `part` is how many of how many."""
    steps, longer = part
    if info.timesteps:
        return _plan_timestep_tail(info, model, part, options)
    levels = model.every(info.timestep_stride, mixes=not info.gamma)
    sigmas = _plan_sigmas(info, schedule, levels, longer, options)
    cut = sigmas[longer - steps :]
    walked = [*cut[:-1], cut[-2]] if info.own_spacing else cut
    return PassPlan(
        info=info, levels=levels, sigmas=walked, schedule_sigmas=sigmas, noise_sigma=cut[0], options=options
    )


def _plan_timestep_tail(
    info: SamplerInfo, model: ModelSigmas, part: tuple[int, int], options: SamplingOptions
) -> PassPlan:
    """Noise to timestep number `steps - 1`, but begin one before it, as the webui does."""
    steps, longer = part
    timesteps = whole_timesteps(longer)
    last = min(steps - 1, len(timesteps) - 1)
    walked = timesteps[: max(last, 1)]
    return PassPlan(
        info=info,
        levels=model,
        sigmas=spacing(info.name)(model, walked, walked[-1], options.unipc_spacing),
        schedule_sigmas=whole_levels(model, timesteps, timesteps[-1]),
        noise_sigma=float(model.sigmas[timesteps[last]]),
        options=options,
    )
